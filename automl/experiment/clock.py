"""When this process began, on the clock that deadlines are counted on."""

from __future__ import annotations

import time

import psutil

__all__ = ["process_started"]


def process_started() -> float:
    """Reading that `time.monotonic()` would have given when this process was started."""
    age = time.time() - psutil.Process().create_time()
    return time.monotonic() - max(0.0, age)

"""Time as a promise: one clock per experiment, handed down to the code that spends it."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Deadline", "process_started", "tolerance"]


_OLD = 86400.0
"""Seconds: a process that starts an experiment is younger, or its clock is not the machine's (a time namespace)."""


def tolerance(budget: float) -> float:
    """Seconds by which a time budget of `budget` seconds may be exceeded: max(0.5 s, 2%)."""
    return max(0.5, 0.02 * budget)


def process_started() -> float:
    """Reading that `time.monotonic()` would have given when this process was started."""
    return time.monotonic() - max(0.0, _age())


def _age() -> float:
    """Seconds since this process was started."""
    try:  # Linux, to a hundredth: the time of boot, to which psutil adds it, is known to a second only
        after_name = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(after_name[19]) / os.sysconf("SC_CLK_TCK")
        if 0 <= age < _OLD:
            return age
    except (OSError, ValueError, IndexError, AttributeError):
        pass
    import psutil

    return time.time() - psutil.Process().create_time()


@dataclass
class Deadline:
    """A clock that started at `started` and runs out after `budget` seconds.

    All parts of an experiment hold the same one, so that all notice when it is extended. Clocks do not cross machines:
    send `remaining()` and not a Deadline.

    Attributes:
        started: reading of `time.monotonic()` when counting began.
        budget: seconds in all, `math.inf` for no limit.
        used: seconds that earlier sessions of the same experiment had already spent.
    """

    started: float
    budget: float = math.inf
    used: float = 0.0

    @classmethod
    def after(cls, seconds: float | None, *, used: float = 0.0, started: float | None = None) -> Deadline:
        """A deadline `seconds` from `started` (default: now), None for never."""
        begin = time.monotonic() if started is None else started
        return cls(begin, math.inf if seconds is None else float(seconds), used)

    @property
    def limited(self) -> bool:
        return math.isfinite(self.budget)

    def spent(self) -> float:
        """Seconds used so far, those of earlier sessions included."""
        return self.used + time.monotonic() - self.started

    def remaining(self) -> float:
        """Seconds left: never negative, `math.inf` without a limit."""
        return max(0.0, self.budget - self.spent())

    def extend(self, seconds: float) -> None:
        """Run out after `seconds` in all, counted from the start."""
        self.budget = float(seconds)

    def passed(self) -> bool:
        return self.limited and self.remaining() <= 0.0

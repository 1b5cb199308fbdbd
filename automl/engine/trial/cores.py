"""The number of cores that this process may use."""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path

__all__ = ["usable_cores"]


@cache
def usable_cores() -> int:
    """Cores that the scheduler and the container (cgroup v2) leave to this process; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        pass
    return max(1, cores)

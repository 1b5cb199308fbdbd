"""How much memory the trials of this machine may hold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Memory", "memory_here"]

_CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Version 2, then 1: where, limit, use, and the key in memory.stat of file pages that are given back when needed."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one machine.

    Attributes:
        total: that there are, or that the container may hold.
        for_trials: that the workers may hold at present, what they hold already included.
    """

    total: int
    for_trials: int


def memory_here(workers: Iterable[int]) -> Memory:
    """The memory of this machine, as of now.

    Args:
        workers: process ids of the workers.
    """
    import psutil

    machine = psutil.virtual_memory()
    total, available = machine.total, machine.available
    for place, limit, use, given_back in _CGROUPS:
        with contextlib.suppress(OSError, ValueError):  # not this version, or no limit ("max")
            most = int((place / limit).read_text(encoding="ascii"))
            held = int((place / use).read_text(encoding="ascii")) - _statistic(place / "memory.stat", given_back)
            total, available = min(total, most), min(available, most - held)
    held = 0
    for worker in workers:
        with contextlib.suppress(psutil.Error):
            info = psutil.Process(worker).memory_info()
            held += info.rss - getattr(info, "shared", 0)  # files and shared maps count as available already
    return Memory(total, max(0, available) + held)


def _statistic(file: Path, key: str) -> int:
    fields = dict(line.split() for line in file.read_text(encoding="ascii").splitlines())
    return int(fields.get(key, 0))

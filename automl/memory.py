"""Memory of this machine, or of the container around this process."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["total_and_available"]

_CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Version 2, then 1: where, limit, use, and the key in memory.stat of file pages that are given back when needed."""


def total_and_available() -> tuple[int, int]:
    """Bytes that there are, or that the container may hold; and those of them that are free at present."""
    import psutil

    machine = psutil.virtual_memory()
    total, available = machine.total, machine.available
    for place, limit, use, given_back in _CGROUPS:
        with contextlib.suppress(OSError, ValueError):  # not this version, or no limit ("max")
            most = int((place / limit).read_text(encoding="ascii"))
            held = int((place / use).read_text(encoding="ascii")) - _statistic(place / "memory.stat", given_back)
            total, available = min(total, most), min(available, most - held)
    return total, max(0, available)


def _statistic(file: Path, key: str) -> int:
    fields = dict(line.split() for line in file.read_text(encoding="ascii").splitlines())
    return int(fields.get(key, 0))

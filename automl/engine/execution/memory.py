"""The memory that the trials of this machine may hold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from automl.memory import total_and_available

__all__ = ["Memory", "memory_here"]


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

    total, available = total_and_available()
    held = 0
    for worker in workers:
        with contextlib.suppress(psutil.Error):
            info = psutil.Process(worker).memory_info()
            held += info.rss - getattr(info, "shared", 0)  # files and shared maps count as available already
    return Memory(total, available + held)

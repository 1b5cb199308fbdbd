"""The size that a file may grow to when it is read, by what it is and by what this machine has."""

from __future__ import annotations

from automl.memory import total_and_available

__all__ = ["MOST_FETCHED", "MOST_UNANNOUNCED", "memory_for", "unpacked_for"]

_PLAIN = 64 << 20
_GROWTH = 200
"""Text tables shrink to a twentieth or so when they are compressed, and those of zeros to a hundredth."""
_ROOM = 1 << 30
_TIMES = 100
"""Bytes of memory that a table of text takes at most for each of its bytes, while it is parsed, are 20 or so."""
_SHARE = 2
"""One of so many parts of the free memory is for reading: what is read is copied, searched and trained on as well."""
MOST_FETCHED = 4 << 30
"""Bytes that are read from a server that announces them, and ..."""
MOST_UNANNOUNCED = 512 << 20
"""... from one that does not say how many will come: it may never end."""


def memory_for(size: int) -> int:
    """Bytes of memory that reading a file of `size` bytes may take: 1 GB or 100 times its size, and half of what is
    free at most.
    """
    _, available = total_and_available()
    return min(available // _SHARE, max(_ROOM, _TIMES * size))


def unpacked_for(size: int) -> int:
    """Bytes that `size` bytes may unpack to: 64 MB or 200 times as many, and half of the free memory at most."""
    _, available = total_and_available()
    return min(available // _SHARE, max(_PLAIN, _GROWTH * size))

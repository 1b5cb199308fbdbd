"""The messages of the process that reads a file to the one that waits for it: a kind, a length, so many bytes."""

from __future__ import annotations

import struct
from enum import IntEnum

__all__ = ["HEAD", "MessageKind"]

HEAD = struct.Struct("<BQ")


class MessageKind(IntEnum):
    """The kind of a message: what follows."""

    REQUEST = 0
    """The function, its arguments, the time budget, the time spent of it, and whether to show the progress; pickled."""
    READY = 1
    """Nothing: what it needs is imported."""
    ARRIVED = 2
    """The bytes that have come from a server, as a signed number; -1: all."""
    LOG = 3
    """A level and a message, pickled."""
    ERROR = 4
    """The error, pickled."""
    RESULT = 5
    """The pickled result and the lengths of its buffers, which follow; pickled."""

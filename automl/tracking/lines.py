"""Messages between the driver and the mirror: one JSON object a line, in both directions."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO

__all__ = ["Inbox", "decode", "encode"]


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The object in a line; empty for anything else (a library that printed)."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


class Inbox:
    """Messages from a stream, read by a thread: neither side ever waits for the other.

    Args:
        stream: binary, one JSON object a line.
        on_end: called by the thread when the other side is gone.
    """

    def __init__(self, stream: BinaryIO, on_end: Callable[[], None]) -> None:
        self._stream, self._on_end = stream, on_end
        self._messages: deque[dict[str, Any]] = deque()
        self._changed = threading.Condition()
        self.ended = False
        threading.Thread(target=self._read, name="automl-inbox", daemon=True).start()

    def take(self, timeout: float | None) -> dict[str, Any] | None:
        """The next message; None after `timeout` seconds without one, or when the other side is gone."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._messages) or self.ended, timeout)
            return self._messages.popleft() if self._messages else None

    def _read(self) -> None:
        for line in iter(self._stream.readline, b""):
            with self._changed:
                self._messages.append(decode(line))
                self._changed.notify()
        with self._changed:
            self.ended = True
            self._changed.notify()
        self._on_end()

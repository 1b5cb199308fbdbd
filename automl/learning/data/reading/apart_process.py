"""The process in which a file is read that is not ours. See `automl.learning.data.reading.apart`."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import sys
import threading
from typing import Any

from automl.deadline import Deadline
from automl.errors import AutomlError, DataError
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.messages import HEAD, MessageKind

__all__ = ["main"]

_GRACE = 5.0
"""Seconds after the end of the time at which the kernel ends this process, should the one that waits be stopped."""


def main() -> None:
    answer = _Answer(os.dup(1))
    os.dup2(2, 1)  # whatever a library prints is not an answer
    _kind, length = HEAD.unpack(_receive(HEAD.size))
    request = _receive(length)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _be_the_first_to_go()
    function, args, clock, progress = pickle.loads(request)
    deadline = None if clock is None else Deadline.after(clock[0], used=clock[1])
    if deadline is not None and deadline.limited:
        signal.setitimer(signal.ITIMER_REAL, deadline.remaining() + _GRACE)
    _import_for(function)
    answer.send(MessageKind.READY)
    _log_to(answer)
    reading = Reading(deadline, progress=progress, arrived=answer.arrived)
    try:
        answer.result(function(*args, reading))
    except AutomlError as error:
        answer.error(error)
    except MemoryError:
        answer.error(DataError("It is too large for the memory of this machine."))
    os._exit(0)  # nothing is left to do, whatever threads libraries have started


def _import_for(function: Any) -> None:
    """Import what reading needs: its memory is then not taken for the file's."""
    for name in getattr(sys.modules[function.__module__], "IMPORTS", ()):
        __import__(name)


def _receive(length: int) -> bytes:
    parts = list[bytes]()
    while length:
        part = os.read(0, min(length, 1 << 20))
        if not part:
            os._exit(1)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _end_with_parent() -> None:
    """The other end of standard input closes when the process that waits is gone, by SIGKILL too."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def _be_the_first_to_go() -> None:
    """Have the kernel end this process first if the machine runs out of memory."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")


def _log_to(answer: _Answer) -> None:
    logger = logging.getLogger("automl")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_Passing(answer))


class _Passing(logging.Handler):
    """Passes lines on to the process that waits, which knows who wants to see them."""

    def __init__(self, answer: _Answer) -> None:
        super().__init__()
        self._answer = answer

    def emit(self, record: logging.LogRecord) -> None:
        self._answer.send(MessageKind.LOG, pickle.dumps((record.levelno, record.getMessage())))


class _Answer:
    """The messages to the process that waits.

    Args:
        descriptor: of the pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self._pipe = os.fdopen(descriptor, "wb", buffering=0)
        self._lock = threading.Lock()

    def send(self, kind: MessageKind, content: bytes = b"") -> None:
        with self._lock:
            self._write(memoryview(HEAD.pack(kind, len(content)) + content))

    def arrived(self, count: int) -> None:
        self.send(MessageKind.ARRIVED, count.to_bytes(8, "little", signed=True))

    def error(self, error: Exception) -> None:
        self.send(MessageKind.ERROR, pickle.dumps(error))

    def result(self, value: Any) -> None:
        """The arrays in `value` are written as they are in memory, and not copied into the pickle."""
        buffers = list[pickle.PickleBuffer]()
        structure = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        views = [buffer.raw() for buffer in buffers]
        self.send(MessageKind.RESULT, pickle.dumps((structure, [view.nbytes for view in views])))
        for view in views:
            self._write(view)

    def _write(self, view: memoryview) -> None:
        while view:
            view = view[self._pipe.write(view) :]


if __name__ == "__main__":
    main()

"""Work on a file that is not ours, in a separate process: it can be killed, whatever the library in it is doing.

pandas' parser, Arrow, Pillow and the clients of object stores can neither be interrupted nor bounded: it is unknown
beforehand how long they take with a file, or how much memory. So they run in a process that is killed when the time is
over or the memory that such a file may take is exceeded, and when this process dies. It costs the start of an
interpreter, which small files should not wait for: those whose worst case is known, because they are small and plain,
are read in this process. The result comes back through a pipe, arrays as they are (pickle's protocol 5).
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from automl.errors import DataError
from automl.learning.data.reading.bounds import memory_for
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.messages import HEAD, MessageKind

__all__ = ["run_apart"]

_LOOK = 0.05
"""Seconds between two looks at the process's memory and at the clock."""
_STALL = 60.0
"""Seconds within which ..."""
_LEAST = 60 << 10
"""... so many bytes have to come from a server: 1 KB/s. One that is slower never ends."""

T = TypeVar("T")
_log = logging.getLogger("automl")


def run_apart(
    function: Callable[..., T], *args: Any, what: str, reading: Reading, memory: int, network: bool = False
) -> T:
    """`function(*args, reading)` in a separate process.

    Args:
        function: of a module; its arguments and its result can be pickled.
        what: is read, as it may be shown.
        reading: its circumstances.
        memory: bytes that the process may hold beside its libraries; of a file from the network, until its size is
            known.
        network: it waits for a server, which may never answer.

    Raises:
        DataError: what the function raised; or it did not end in time, exceeded the memory, or died.
    """
    reading.check(what)
    clock = None if reading.deadline is None else (reading.deadline.budget, reading.deadline.spent())
    request = pickle.dumps((function, args, clock, reading.progress))
    with _process() as process:
        assert process.stdin is not None and process.stdout is not None
        sending = threading.Thread(target=_send, args=(process.stdin.fileno(), request), daemon=True)
        sending.start()
        watch = _Watch(process, what, reading, memory, network)
        result: T = watch.result()
        return result


@contextmanager
def _process() -> Iterator[subprocess.Popen[bytes]]:
    """The process; at the end it is gone. It has its own session: Ctrl-C reaches this process alone."""
    path = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "automl.learning.data.reading.apart_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()  # it starts no others
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _send(descriptor: int, request: bytes) -> None:
    """The request; the pipe stays open: where it closes, the process ends itself."""
    content = memoryview(HEAD.pack(MessageKind.REQUEST, len(request)) + request)
    with contextlib.suppress(OSError):  # it died: waiting for its answer says so
        while content:
            content = content[os.write(descriptor, content) :]


class _Watch:
    """Receives what the process says, and looks at the clock, at its memory and at what it gets from a server."""

    def __init__(self, process: subprocess.Popen[bytes], what: str, reading: Reading, memory: int, network: bool):
        import psutil

        assert process.stdout is not None
        self._process, self._pipe = process, process.stdout
        self._what, self._reading, self._memory = what, reading, memory
        self._watched = psutil.Process(process.pid)
        self._libraries = math.inf
        self._looked = 0.0
        self._arrived = self._total = 0
        self._since = time.monotonic() if network else math.inf

    def result(self) -> Any:
        while True:
            kind, length = HEAD.unpack(self._receive(HEAD.size))
            content = self._receive(length)
            if kind == MessageKind.READY:
                self._libraries = self._held()
            elif kind == MessageKind.ARRIVED:
                self._note_arrival(int.from_bytes(content, "little", signed=True))
            elif kind == MessageKind.LOG:
                level, message = pickle.loads(content)
                _log.log(level, "%s", message)
            elif kind == MessageKind.ERROR:
                raise pickle.loads(content)
            else:
                structure, lengths = pickle.loads(content)
                return pickle.loads(structure, buffers=[self._receive(each) for each in lengths])

    def _receive(self, length: int) -> bytearray:
        content = bytearray(length)
        view = memoryview(content)
        while view:
            if select.select([self._pipe], [], [], min(_LOOK, self._reading.remaining()))[0]:
                count = self._pipe.readinto(view)  # type: ignore[attr-defined]
                if not count:
                    raise self._died()
                view = view[count:]
            self._look()
        return content

    def _look(self) -> None:
        if self._reading.deadline is not None and self._reading.deadline.passed():
            raise self._reading.late(self._what)
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        if now - self._since > _STALL:
            raise DataError(
                f"Reading {self._what} was given up: {self._arrived:,} bytes have come in {_STALL:.0f} s. Copy the "
                "file here by other means."
            )
        held = self._held() - self._libraries
        if held > self._memory:
            raise DataError(
                f"Reading {self._what} takes more than {self._memory / 2**20:,.0f} MB of memory, which is too much for "
                "a file of its size, or for this machine: write it out smaller, or in several files."
            )

    def _held(self) -> float:
        import psutil

        try:
            return float(self._watched.memory_info().rss)
        except psutil.Error:
            return 0.0

    def _note_arrival(self, count: int) -> None:
        self._arrived += max(0, count)
        self._total += max(0, count)
        if count < 0:
            self._since, self._memory = math.inf, min(self._memory, memory_for(self._total))
        elif self._arrived >= _LEAST:
            self._arrived, self._since = 0, time.monotonic()

    def _died(self) -> DataError:
        status = self._process.wait()
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        return DataError(
            f"Cannot read {self._what}: the process that read it ended {how}. The file is damaged, or larger than the "
            "memory allows."
        )

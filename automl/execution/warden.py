"""A small process beside each worker: it holds the worker to its memory limit, and cleans up after it.

``python -m automl.execution.warden PID MARK``. It is a process of its own, since a trial in C code may never let the
worker's Python run; it belongs to the worker's machine, since the driver may be on another; and it is nobody's child,
since Ray kills the children of a worker that it kills. It ends when the worker has ended.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from automl.execution.reap import is_alive, kill_tree

__all__ = ["main"]

_POLL = 0.08
"""Seconds between two looks at a worker with a memory limit: a look costs 2 ms."""
_IDLE = 1.0
"""Seconds between two looks at a worker without."""


def main() -> None:
    watch = _Watch(psutil.Process(int(sys.argv[1])), sys.argv[2])  # while the worker waits, and is surely alive
    if hasattr(os, "fork") and os.fork():
        os._exit(0)
    watch.until_it_is_gone()


class _Watch:
    """What the warden does.

    Attributes:
        group: the worker's process group, if it has one of its own. A child that was forked, and runs no program of
            its own, does not carry a mark that the worker has set later; but it is in the group.
        known: descendants seen at the latest look.
    """

    def __init__(self, worker: psutil.Process, mark: str) -> None:
        self.worker, self.mark = worker, mark
        self.group = {worker.pid} if os.getpgid(worker.pid) == worker.pid else set[int]()
        self.parent = worker.ppid()
        self.known: list[psutil.Process] = []
        self.lines = _Lines(worker.pid)
        self.limit, self.note = 0, Path()

    def until_it_is_gone(self) -> None:
        while is_alive(self.worker):
            self._listen(_POLL if self.limit else _IDLE)
            with contextlib.suppress(psutil.Error):
                self.known = self.worker.children(recursive=True)
                held = self._resident() if self.limit else 0
                if self.limit and held > self.limit:
                    self._listen(0)  # the trial may have ended just now
                if self.limit and held > self.limit:
                    self._write(held)
                    self._kill()
                elif self.worker.ppid() != self.parent:
                    time.sleep(_IDLE)  # its driver is dead, which it notices by itself, if it can
                    self._kill()
        kill_tree({self.mark}, (), self.group, self.known)

    def _listen(self, timeout: float) -> None:
        for line in self.lines.wait(timeout):
            size, _, path = line.partition(" ")
            self.limit, self.note = int(size), Path(path)

    def _resident(self) -> int:
        """Bytes of resident memory of the worker and all its descendants."""
        total = 0
        for process in (self.worker, *self.known):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def _write(self, held: int) -> None:
        with contextlib.suppress(OSError):
            self.note.parent.mkdir(exist_ok=True)
            self.note.write_text(str(held), encoding="ascii")

    def _kill(self) -> None:
        kill_tree({self.mark}, {self.worker.pid}, self.group, self.known)


class _Lines:
    """What the worker writes to standard input, by lines; `wait` returns early when the worker has ended."""

    def __init__(self, pid: int) -> None:
        self._sources = [0]
        self._rest = b""
        if hasattr(os, "pidfd_open"):  # Linux; elsewhere it is noticed at the next look
            with contextlib.suppress(OSError):
                self._sources.append(os.pidfd_open(pid))

    def wait(self, timeout: float) -> Iterator[str]:
        ready, _, _ = select.select(self._sources, [], [], timeout)
        if 0 not in ready:
            return
        chunk = os.read(0, 65536)
        if not chunk:  # the worker has closed it, which does not mean that it has ended
            self._sources.remove(0)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "surrogateescape")


if __name__ == "__main__":
    main()

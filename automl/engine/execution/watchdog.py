"""A small process beside each worker: it holds the worker to its memory limit, and cleans up after it.

``python -m automl.engine.execution.watchdog PID PARENT MARK [LINE]``: the worker's process, its parent, its mark, and
what it has written already. It is a process of its own, since a trial in C code may never let the worker's Python run;
it belongs to the worker's machine, since the driver may be on another; and it is nobody's child, since Ray kills the
children of a worker that it kills. It ends when the worker has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from automl.engine.execution.reap import is_alive, kill_tree

__all__ = ["main"]

_POLL = 0.08
"""Seconds between two looks at a worker with a memory limit: a look costs 2 ms."""
_IDLE = 1.0
"""Seconds between two looks at a worker without."""


def main() -> None:
    worker, parent, mark = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    try:
        watch = _Watch(psutil.Process(worker), parent, mark)
    except (psutil.NoSuchProcess, ProcessLookupError):
        kill_tree({mark})
        return
    if len(sys.argv) > 4:
        watch.take(sys.argv[4])
    elif os.fork():
        os._exit(0)
    watch.until_it_is_gone()


class _Watch:
    """The work of the watchdog.

    Attributes:
        group: the worker's process group, if it has one of its own. A child that was forked, and runs no program of
            its own, does not carry a mark that the worker has set later; but it is in the group.
        known: descendants seen at the latest look.
    """

    def __init__(self, worker: psutil.Process, parent: int, mark: str) -> None:
        self.worker, self.parent, self.mark = worker, parent, mark
        self.group = {worker.pid} if os.getpgid(worker.pid) == worker.pid else set[int]()
        self.known: list[psutil.Process] = []
        self.lines = _Lines(worker.pid)
        self.limit, self.note = 0, ("", None)

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
        shutil.rmtree(Path(tempfile.gettempdir()) / f"automl-{self.mark}", ignore_errors=True)

    def _listen(self, timeout: float) -> None:
        for line in self.lines.wait(timeout):
            self.take(line)

    def take(self, line: str) -> None:
        """A limit in bytes (0 for none), and where to note that it was exceeded; or nothing."""
        if line:
            self.limit, trial, storage = json.loads(line)
            self.note = trial, storage

    def _resident(self) -> int:
        """Bytes of resident memory of the worker and all its descendants."""
        total = 0
        for process in (self.worker, *self.known):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def _write(self, held: int) -> None:
        with contextlib.suppress(Exception):  # whatever a remote storage raises: the worker is to be killed
            from automl.engine.execution.memory_note import MemoryNote  # only now: a watchdog should be light

            trial, storage = self.note
            MemoryNote(Path(trial), storage).write(held)

    def _kill(self) -> None:
        kill_tree({self.mark}, {self.worker.pid}, self.group, self.known)


class _Lines:
    """The lines that the worker writes to standard input; `wait` returns early when the worker has ended."""

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
            yield line.decode("ascii")


if __name__ == "__main__":
    main()

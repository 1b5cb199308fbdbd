"""The watchdog of a worker, from the worker's side. See `automl.engine.execution.watchdog`.

Its start takes a tenth of a second of a core, which the first trial should have to itself. But a trial in C code may
never let the worker's Python run again, also the first one. So a worker process forks at its start, when that costs
next to nothing, and the fork waits for its time to become the watchdog.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from typing import NoReturn, Self

from automl.engine.execution.bytecode import child_environment
from automl.engine.execution.memory_note import MemoryNote
from automl.engine.execution.reap import MARK

__all__ = ["WorkerWatchdog"]

_LATER = 3.0
"""Seconds after the first trial's start at which the fork becomes the watchdog."""


class WorkerWatchdog:
    """The watchdog of this process, as the worker in it sees it.

    Args:
        pipe: descriptor of what the watchdog reads from.
        waits: it is still a fork, and begins when it is told anything.
    """

    def __init__(self, pipe: int, *, waits: bool) -> None:
        self._pipe, self._waits = pipe, waits

    @classmethod
    def start(cls, mark: str) -> Self:
        """Start it now, for the worker `mark`; returns when it is nobody's child (a few hundredths of a second)."""
        pipe, write = os.pipe()
        with subprocess.Popen(
            _command(mark),
            stdin=pipe,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        ):
            os.close(pipe)
        return cls(write, waits=False)

    @classmethod
    def fork(cls, mark: str) -> Self:
        """Have a fork of this process wait for its time. This process must not have other threads yet."""
        pipe, write = os.pipe()
        command, environment = _command(mark), _environment()
        child = os.fork()
        if child == 0:
            try:
                if os.fork() == 0:
                    _become_watchdog(pipe, command, environment)
            finally:
                os._exit(0)
        os.close(pipe)
        os.waitpid(child, 0)
        return cls(write, waits=True)

    def expect(self) -> None:
        """The first trial begins."""
        if self._waits:
            self._send("\n")

    def limit(self, memory: int, note: MemoryNote) -> None:
        """Kill this process if it holds more than `memory` bytes together with its descendants, and leave `note`."""
        self._send(json.dumps([memory, str(note.trial), note.storage]) + "\n")

    def lift(self) -> None:
        """The limited trial is over."""
        self._send('[0, "", null]\n')

    def _send(self, line: str) -> None:
        self._waits = False
        with contextlib.suppress(OSError):  # no watchdog: the trial runs without a limit rather than not at all
            os.write(self._pipe, line.encode("ascii"))


def _command(mark: str) -> list[str]:
    return [sys.executable, "-P", "-m", "automl.engine.execution.watchdog", str(os.getpid()), str(os.getppid()), mark]


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in child_environment().items() if name != MARK}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return environment


def _become_watchdog(pipe: int, command: list[str], environment: dict[str, str]) -> NoReturn:
    """Wait in the fork until the worker says something or ends, and a while longer if its first trial has no limit."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor, source in ((0, pipe), (1, nowhere), (2, nowhere)):
        os.dup2(source, descriptor)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    if line == b"\n":
        select.select([0], [], [], _LATER)
    os.execve(command[0], [*command, os.fsdecode(line).strip()], environment)

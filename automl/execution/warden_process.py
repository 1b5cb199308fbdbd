"""The warden of a worker, from the worker's side. See `automl.execution.warden`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from automl.execution.reap import MARK

__all__ = ["Warden", "memory_note"]


def memory_note(directory: Path) -> Path:
    """Where the warden writes how much memory a trial held (bytes, as text) before it killed the worker."""
    return directory / "logs" / "memory_exceeded.txt"


class Warden:
    """The warden of this process, as the worker in it sees it.

    Args:
        mark: this worker's mark.
    """

    def __init__(self, mark: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name != MARK}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "automl.execution.warden", str(os.getpid()), mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def wait_detached(self) -> None:
        """Wait until it is nobody's child (a few hundredths of a second)."""
        if hasattr(os, "fork"):
            self._process.wait()

    def limit(self, memory: int, directory: Path) -> None:
        """Kill this process if it holds more than `memory` bytes together with its descendants."""
        self._send(f"{memory} {memory_note(directory)}\n")

    def lift(self) -> None:
        """The limited trial is over."""
        self._send("0\n")

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # no warden: the trial runs without a limit rather than not at all
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

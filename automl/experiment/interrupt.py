"""Ctrl-C as a request: once to finish what runs and deliver the best so far, twice to stop now."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from automl.engine.workspace.control import take
from automl.engine.workspace.layout import ExperimentDirectory

__all__ = ["Interrupts"]

log = logging.getLogger("automl")


class Interrupts:
    """Counts Ctrl-C, SIGTERM and requests from other terminals, for the length of a `with` block.

    Outside the main thread Python delivers no signals; then only requests count. SIGTERM is what a scheduler or a
    container sends before it kills: it counts as two.
    """

    def __init__(self, directory: ExperimentDirectory) -> None:
        self._directory = directory
        self._count = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.getsignal(number)
            self.install()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}

    def install(self) -> None:
        """Take the signals (again): booting Ray in the main thread replaces the handler of SIGTERM."""
        for number in self._before:
            signal.signal(number, self._received)

    def count(self) -> int:
        """Return how often a stop has been asked for."""
        request = take(self._directory, "cancel")
        if request is not None:
            self._count += 2 if request.get("now") else 1
            log.info("a request to cancel has arrived")
        return self._count

    def _received(self, number: int, frame: FrameType | None) -> None:
        self._count += 2 if number == signal.SIGTERM else 1
        if self._count == 1:
            log.warning("stopping: running trials finish, then the best so far is delivered (Ctrl-C again: stop now)")
        elif self._count == 2 or number == signal.SIGTERM:
            log.warning("stopping now")
        else:
            raise KeyboardInterrupt

"""The watch that sees that a time budget is kept, even where nothing gets round to looking at the clock.

Everything that waits is given what is left of the time, and start-up looks at the clock between its steps. On a
machine that is busy enough a single step (an import, say) may take longer than all of the budget. A program cannot
be ended for that; the command line's process can.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from automl.deadline import Deadline, tolerance
from automl.engine.execution.reap import MARK
from automl.errors import AutomlError
from automl.redact import redact_message
from automl.start import SHARE, hand_over

if TYPE_CHECKING:
    from automl.experiment.result import Result

__all__ = ["Watchdog", "kill_workers"]

_PATIENCE = 2.0
"""Seconds that the last words may take: milliseconds, except on a very busy machine, or with a reader that is gone. A
result is worth more than the rest of the tolerance."""
_LOOK = 0.5
"""Longest pause between two looks at a clock that may be extended."""

LastWords = Callable[[], None]
"""The rest that is to be done and said; raises the error that the process ends with, if it is to end with one."""

Report = Callable[["Result"], None]
"""Prints a result that was cut short; called from another thread than the main one."""


class Watchdog:
    """Ends this process once its time budget and half of the tolerance are over.

    Args:
        deadline: the experiment's clock.
        report: prints what there is when the process is ended; None in a process that is not the experiment's own:
            then nothing is watched.
    """

    def __init__(self, deadline: Deadline, report: Report | None) -> None:
        self._deadline, self._report = deadline, report
        self._last_words: LastWords | None = None
        hand_over()
        if report is not None and deadline.limited:
            threading.Thread(target=self._watch, name="automl-watchdog", daemon=True).start()

    def says(self, last_words: LastWords | None) -> None:
        """From now on `last_words` are what is done when time is up; None: the process is left to its own end."""
        self._last_words = last_words

    def reports(self, result: Result) -> None:
        """Last words where there is a result."""
        if self._report is not None:
            self._report(result)

    def _watch(self) -> None:
        while True:
            left = self._deadline.budget + SHARE * tolerance(self._deadline.budget) - self._deadline.spent()
            if left <= 0 and self._last_words is not None:
                _end(self._last_words)
            time.sleep(min(max(left, 0.02), _LOOK))


def _end(last_words: LastWords) -> None:
    """Say the last words, and end without waiting for anything else in this process."""
    status = [1]
    speaker = threading.Thread(target=_speak, args=(last_words, status), name="automl-last-words", daemon=True)
    speaker.start()
    speaker.join(_PATIENCE)
    kill_workers()
    os._exit(status[0])


def _speak(last_words: LastWords, status: list[int]) -> None:
    """Also leaves the exit status in `status`."""
    with suppress(Exception):  # it could no longer be mended
        try:
            last_words()
            status[0] = 0
        except AutomlError as error:
            status[0] = error.exit_code
            sys.stderr.write(f"automl: {redact_message(error.on_command_line())}\n")
        sys.stdout.flush()


def kill_workers() -> None:
    """End the workers of a process that is to end: they would do so by themselves, but not at once.

    The process that catches up for MLflow may continue.
    """
    import psutil

    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if MARK in child.environ():
                    child.kill()

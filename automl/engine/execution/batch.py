"""Several trials that one worker is handed at once, where each ends within milliseconds.

A trial that does next to nothing costs a message to its worker and one back, and on Ray a call of an actor; handed over
by eight it costs an eighth of that. They run one after the other, and their results arrive one by one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from automl.engine.trial.contract import TrialSpec

__all__ = ["Batch"]


class Batch:
    """Trials that a worker has received, seen from inside the worker. May be used from several threads.

    Iterating gives them one after the other, each with the limits that it has when its turn comes.
    """

    def __init__(self, specs: Sequence[TrialSpec] = ()) -> None:
        self._waiting = deque(specs)
        self._received = time.monotonic()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[TrialSpec]:
        while (spec := self._next()) is not None:
            limits = spec.limits.after(time.monotonic() - self._received)
            yield spec if limits is spec.limits else replace(spec, limits=limits)

    def withdraw(self, number: int, attempt: int) -> TrialSpec | None:
        """Take out a trial that has not begun, so that it never will; None if it has, or is none of these."""
        with self._lock:
            for spec in self._waiting:
                if (spec.number, spec.attempt) == (number, attempt):
                    self._waiting.remove(spec)
                    return spec
        return None

    def _next(self) -> TrialSpec | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

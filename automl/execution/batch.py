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
from statistics import fmean

from automl.trial.contract import TrialSpec

__all__ = ["Batch", "Pace", "may_share"]

_MOST = 8
_SECONDS = 0.016
"""What a batch is to last at most: nobody waits longer for a worker that another trial's batch keeps."""
_REMEMBERED = 16
"""Trials by whose mean the next are judged: a single long one among them is enough to hand them out singly."""


class Pace:
    """How many trials a worker is handed at once, learned from how long the latest have lasted."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=_REMEMBERED)
        self.size = 1

    def observe(self, seconds: float) -> None:
        """A trial has lasted so long."""
        self._latest.append(seconds)
        known = len(self._latest) == _REMEMBERED
        self.size = max(1, min(_MOST, int(_SECONDS / max(fmean(self._latest), 1e-9)))) if known else 1


def may_share(spec: TrialSpec) -> bool:
    """Whether it may stand in a batch with others.

    Not after its worker was lost: were it the one that kills workers, it would take the others along again.
    """
    return spec.attempt == 1 and not spec.resources.alone


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

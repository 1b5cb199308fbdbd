"""Trials that wait for a worker, and how many of them one is handed at once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from statistics import fmean

from automl.engine.execution.handle import SubmittedTrial
from automl.engine.trial.contract import Device, TrialSpec

__all__ = ["TrialQueue"]

_MOST = 8
_SECONDS = 0.016
"""Seconds that a batch is to last at most: no trial waits longer for a worker that another one's batch keeps."""
_REMEMBERED = 16
"""Trials by whose mean the next are judged: a single long one among them is enough to hand them out singly."""


class TrialQueue:
    """The first comes first, but for what takes its place beside others in a batch.

    Attributes:
        portion: trials that a worker is handed at once, at most: learned from how long the latest have lasted.
    """

    def __init__(self) -> None:
        self._waiting: list[SubmittedTrial] = []
        self._latest: deque[float] = deque(maxlen=_REMEMBERED)
        self.portion = 1

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, trial: SubmittedTrial) -> None:
        self._waiting.append(trial)

    def put_back(self, trials: Sequence[SubmittedTrial]) -> None:
        """Have what a worker was given and has not begun go first."""
        self._waiting[:0] = trials

    def remove(self, trial: SubmittedTrial) -> None:
        self._waiting.remove(trial)

    def take(self, device: Device, workers: int) -> list[SubmittedTrial]:
        """Take what the next of so many workers without a trial, starting ones included, is to run."""
        waiting = [trial for trial in self._waiting if trial.spec.resources.device is device]
        most = min(self.portion, math.ceil(len(waiting) / workers))
        taken = waiting[:1]
        if taken and _may_share(taken[0].spec):
            taken += [trial for trial in waiting[1:] if _may_share(trial.spec)][: most - 1]
        for trial in taken:
            self._waiting.remove(trial)
        return taken

    def observe(self, seconds: float) -> None:
        """A trial has lasted so long."""
        self._latest.append(seconds)
        known = len(self._latest) == _REMEMBERED
        self.portion = max(1, min(_MOST, int(_SECONDS / max(fmean(self._latest), 1e-9)))) if known else 1


def _may_share(spec: TrialSpec) -> bool:
    """Tell whether it may be in a batch with others.

    Not after its worker was lost: were it the one that kills workers, it would take the others along again.
    """
    return spec.attempt == 1 and not spec.resources.alone

"""The memory that a progress view has of the states that it was shown."""

from __future__ import annotations

import math
from collections import deque

from automl.display.figures import clock, score
from automl.engine.study.state import Finished, SearchState
from automl.engine.trial.contract import Status

__all__ = ["FINAL", "Tally", "best_line", "counts_line", "time_line"]

FINAL = "final training"
"""The name of the final training: the last and longest training of a search, which has its machine to itself."""


class Tally:
    """The latest trials, and whether the best has changed.

    Attributes:
        recent: trials that ended last, the latest first.
        best: the best trial so far.
    """

    def __init__(self, keep: int = 6) -> None:
        self.recent: deque[Finished] = deque(maxlen=keep)
        self.best: Finished | None = None

    def add(self, state: SearchState) -> bool:
        """Take in `state`; True if its best has changed."""
        self.recent.extendleft(state.new)
        improved = state.best is not None and (self.best is None or state.best.result.number != self.best.result.number)
        self.best = state.best
        return improved


def counts_line(state: SearchState) -> str:
    """``12 done, 3 pruned, 1 failed, 2 running``; zeros are left out, except for what is done."""
    counts = dict(state.counts)
    parts = [f"{counts.pop(Status.COMPLETED, 0)} done"]
    parts += [f"{pruned} pruned"] if (pruned := counts.pop(Status.PRUNED, 0)) else []
    parts += [f"{state.failures} failed"] if state.failures else []
    parts += [f"{cancelled} cancelled"] if (cancelled := counts.pop(Status.CANCELLED, 0)) else []
    parts += [f"{len(state.running)} running"] if state.running else []
    return ", ".join(parts)


def best_line(state: SearchState) -> str:
    """``accuracy = 0.9733 (svm_rbf, trial 7)``, with what it is made of if no trial is whole; a dash while nothing has
    completed.
    """
    if state.best is None and state.partial is not None:
        part = state.partial.result
        return f"{state.objective.name} = {score(part.value)} ({part.algorithm}, trial {part.number}, {part.extent})"
    if state.best is None:
        completed = state.counts.get(Status.COMPLETED, 0)
        return f"{state.objective.name} = –{', no completed trial can win yet' if completed else ''}"
    best = state.best.result
    return f"{state.objective.name} = {score(best.value)} ({best.algorithm}, trial {best.number})"


def time_line(state: SearchState, since: float = 0.0) -> str:
    """``12 s, 48 s left``, `since` seconds after the state was made."""
    if math.isinf(state.remaining):
        return clock(state.elapsed + since)
    return f"{clock(state.elapsed + since)}, {clock(max(0.0, state.remaining - since))} left"

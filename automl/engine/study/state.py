"""A search at one moment. The driver yields it; exit criteria, progress views and mirrors read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective

__all__ = ["WOULD_NOT_FIT", "Finished", "RunningTrial", "SearchState"]


WOULD_NOT_FIT = "WouldNotFit"
"""Kind of the failure of a trial that was never started: it would have been killed for its memory."""


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A trial in flight.

    Attributes:
        since: the experiment's clock, in seconds, when it was submitted.
        value: its latest intermediate value of the primary metric, None before the first.
        final: it is the final training: the last and longest training, which has its machine to itself.
    """

    number: int
    attempt: int
    algorithm: str
    params: Mapping[str, Any]
    since: float
    value: float | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A trial that has ended, with the parameters it had.

    Attributes:
        eligible: it completed, at full fidelity and within the limits on models: it could be the best.
    """

    result: TrialResult
    params: Mapping[str, Any]
    eligible: bool = True


@dataclass(frozen=True, slots=True)
class SearchState:
    """One moment of a search.

    Attributes:
        objective: the primary metric.
        proposed: how many numbers have been given out.
        counts: finished trials by status.
        best: the best of the eligible trials.
        partial: where there is no such trial, the one that has left the largest part of a model (`is_partial`), within
            the limits on models: it is what is delivered then, and it is never reported as a score.
        running: trials in flight, by number.
        new: trials that have ended since the previous state, in the order of their results. The first state of a
            resumed search lists all that had ended before.
        elapsed: seconds of the experiment's clock, earlier sessions included.
        remaining: seconds left of the time budget, `math.inf` without one.
        slots: how many trials can run at once.
        exhausted: nothing is left to propose.
        out_of_time: no further trial could end within the time budget.
        interrupts: how often the user has asked to stop (once: finish what runs; twice: stop now).
        stopped_because: why the search ended, None while it runs.
    """

    objective: Objective
    proposed: int = 0
    counts: Mapping[Status, int] = field(default_factory=dict)
    best: Finished | None = None
    partial: Finished | None = None
    running: tuple[RunningTrial, ...] = ()
    new: tuple[Finished, ...] = ()
    elapsed: float = 0.0
    remaining: float = math.inf
    slots: int = 0
    exhausted: bool = False
    out_of_time: bool = False
    interrupts: int = 0
    stopped_because: str | None = None

    @property
    def finished(self) -> int:
        """The number of trials that have ended, however they did."""
        return sum(self.counts.values())

    @property
    def failures(self) -> int:
        """The number of trials whose status is a failure."""
        return sum(count for status, count in self.counts.items() if status.is_failure)

"""Stop when nothing gets better."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from automl.engine.stopping.base import ExitCriterion
from automl.engine.study.state import Finished, SearchState
from automl.engine.trial.contract import Status
from automl.options import Options

__all__ = ["Patience", "PatienceLimits"]


class PatienceLimits(Options):
    patience: int | None = Field(default=None, ge=1, description="stop after this many trials without improvement")
    min_delta: float = Field(default=0.0, ge=0, description="a smaller gain is not an improvement")
    min_trials: int = Field(default=10, ge=1, description="trials to finish before patience can end the search")


class Patience(ExitCriterion):
    """Counts completed and pruned trials since the score last improved by more than `min_delta`."""

    Limits = PatienceLimits

    def __init__(self, patience: int, min_delta: float = 0.0, min_trials: int = 10) -> None:
        self.patience, self.min_delta, self.min_trials = patience, min_delta, min_trials
        self._best: float | None = None
        self._since = 0

    @classmethod
    def from_limits(cls, limits: Any) -> Self | None:
        if limits.patience is None:
            return None
        return cls(limits.patience, limits.min_delta, limits.min_trials)

    def check(self, state: SearchState) -> str | None:
        for finished in state.new:
            self._count(finished, state)
        if self._best is None or self._since < self.patience or state.finished < self.min_trials:
            return None
        gain = f" by more than {self.min_delta:g}" if self.min_delta else ""
        return f"patience: {self._since} trials in a row did not improve {state.objective.name}{gain}"

    def _count(self, finished: Finished, state: SearchState) -> None:
        status, value = finished.result.status, finished.result.value
        if finished.result.fidelity < 1:
            return  # it did a part of the work: what comes of it is seen when the whole was done
        if status is Status.COMPLETED and finished.eligible and value is not None and self._improves(value, state):
            self._best, self._since = value, 0
        elif status in (Status.COMPLETED, Status.PRUNED):
            self._since += 1

    def _improves(self, value: float, state: SearchState) -> bool:
        if self._best is None:
            return True
        objective = state.objective
        return objective.better(value, self._best + objective.sign * self.min_delta)

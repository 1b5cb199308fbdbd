"""Stop after a number of trials."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from automl.engine.stopping.base import ExitCriterion
from automl.engine.study.state import SearchState
from automl.options import Options

__all__ = ["MaxTrials", "MaxTrialsLimits"]


class MaxTrialsLimits(Options):
    max_trials: int | None = Field(default=None, ge=1, description="how many trials to run at most")


class MaxTrials(ExitCriterion):
    """Counts numbers: a second attempt after a lost worker is not a second trial."""

    Limits = MaxTrialsLimits

    def __init__(self, max_trials: int) -> None:
        self.max_trials = max_trials

    @classmethod
    def from_limits(cls, limits: Any) -> Self | None:
        return None if limits.max_trials is None else cls(limits.max_trials)

    def check(self, state: SearchState) -> str | None:
        if state.proposed < self.max_trials:
            return None
        return f"max_trials: {self.max_trials} trials were run"

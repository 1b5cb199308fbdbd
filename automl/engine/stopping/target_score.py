"""Stop when the score is good enough."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from automl.engine.stopping.base import ExitCriterion
from automl.engine.study.state import SearchState
from automl.options import Options

__all__ = ["TargetScore", "TargetScoreLimits"]


class TargetScoreLimits(Options):
    target_score: float | None = Field(default=None, description="a value of the primary metric that is good enough")


class TargetScore(ExitCriterion):
    Limits = TargetScoreLimits
    lets_running_finish = False

    def __init__(self, target: float) -> None:
        self.target = target

    @classmethod
    def from_limits(cls, limits: Any) -> Self | None:
        return None if limits.target_score is None else cls(limits.target_score)

    def check(self, state: SearchState) -> str | None:
        best, objective = state.best, state.objective
        if best is None or best.result.value is None or objective.better(self.target, best.result.value):
            return None
        return f"target_score: {objective.name} = {best.result.value:.6g} reached {self.target:g}"

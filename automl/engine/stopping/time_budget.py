"""Stop when the time is spent."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from automl.engine.stopping.base import ExitCriterion
from automl.engine.study.state import SearchState
from automl.options import Duration, Options

__all__ = ["TimeBudget", "TimeBudgetLimits"]


class TimeBudgetLimits(Options):
    time_budget: Duration | None = Field(
        default=None, description="seconds for everything: search, registration and report included"
    )


class TimeBudget(ExitCriterion):
    """Holds when the budget's search part is spent, or when no trial could still end within it."""

    Limits = TimeBudgetLimits
    lets_running_finish = False

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @classmethod
    def from_limits(cls, limits: Any) -> Self | None:
        return None if limits.time_budget is None else cls(limits.time_budget)

    def check(self, state: SearchState) -> str | None:
        if state.remaining <= 0:
            return f"time_budget: the search's share of {self.seconds:g} s is spent"
        if state.out_of_time:
            return f"time_budget: no further trial would end within {self.seconds:g} s"
        return None

"""Stop when too much goes wrong."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from automl.engine.stopping.base import ExitCriterion
from automl.engine.study.state import WOULD_NOT_FIT, SearchState
from automl.engine.trial.contract import TrialResult
from automl.options import Options

__all__ = ["MaxFailures", "MaxFailuresLimits"]


class MaxFailuresLimits(Options):
    max_failures: int | None = Field(default=None, ge=1, description="stop after this many failed trials in all")
    max_failures_in_a_row: int | None = Field(default=10, ge=1, description="stop after this many, one after another")


_REFUSALS = 10
"""Trials that were never started for want of memory and weigh as much as one failure: they cost nothing, and the
sampler learns from them, but a search of which nothing has room must end."""


class MaxFailures(ExitCriterion):
    """Failed, timed out, out of memory or interrupted trials count; pruned and cancelled ones do not.

    In a row, ten that were refused, and never started, count as one.
    """

    Limits = MaxFailuresLimits
    lets_running_finish = False

    def __init__(self, total: int | None, in_a_row: int | None) -> None:
        self.total, self.in_a_row = total, in_a_row
        self._row = self._weight = 0
        self._last: TrialResult | None = None

    @classmethod
    def from_limits(cls, limits: Any) -> Self | None:
        if limits.max_failures is None and limits.max_failures_in_a_row is None:
            return None
        return cls(limits.max_failures, limits.max_failures_in_a_row)

    def check(self, state: SearchState) -> str | None:
        for finished in state.new:
            if finished.result.status.is_failure:
                self._row, self._last = self._row + 1, finished.result
                self._weight += 1 if _was_refused(finished.result) else _REFUSALS
            else:
                self._row = self._weight = 0
        if self.in_a_row is not None and self._weight >= self.in_a_row * _REFUSALS:
            return f"max_failures_in_a_row: {self._row} trials failed one after another{self._cause()}"
        if self.total is not None and state.failures >= self.total:
            return f"max_failures: {state.failures} trials failed{self._cause()}"
        return None

    def _cause(self) -> str:
        if self._last is None or self._last.failure is None:
            return ""
        return f" (the last: {self._last.failure.kind}: {self._last.failure.message})"


def _was_refused(result: TrialResult) -> bool:
    return result.failure is not None and result.failure.kind == WOULD_NOT_FIT

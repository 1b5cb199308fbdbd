"""Stop when everything has been tried."""

from __future__ import annotations

from typing import Any, Self

from automl.engine.stopping.base import ExitCriterion
from automl.engine.study.state import SearchState

__all__ = ["SpaceExhausted"]


class SpaceExhausted(ExitCriterion):
    @classmethod
    def from_limits(cls, limits: Any) -> Self | None:
        return cls()

    def check(self, state: SearchState) -> str | None:
        if not state.exhausted:
            return None
        return f"space exhausted: all {state.proposed} configurations of the search space were tried"

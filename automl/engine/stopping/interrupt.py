"""Stop because a user asked to."""

from __future__ import annotations

from typing import Any, Self

from automl.engine.stopping.base import ExitCriterion
from automl.engine.study.state import SearchState

__all__ = ["Interrupt"]


class Interrupt(ExitCriterion):
    """Ctrl-C, or a request from another terminal. Once: finish what runs. Twice: stop now."""

    @classmethod
    def from_limits(cls, limits: Any) -> Self | None:
        return cls()

    def check(self, state: SearchState) -> str | None:
        return "cancelled by the user" if state.interrupts else None

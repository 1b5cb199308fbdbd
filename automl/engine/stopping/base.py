"""The interface of an exit criterion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from automl.engine.study.state import SearchState
from automl.options import Options

__all__ = ["ExitCriterion"]


class ExitCriterion(ABC):
    """A declared reason to stop.

    The driver calls `check` on every state exactly once, in order, so a criterion may count what `state.new` lists.
    The first criterion that holds ends the search, and its sentence is recorded.

    Attributes:
        Limits: the keys it owns below ``limits:``; every one has a default.
        lets_running_finish: whether trials in flight are waited for when it holds, or cancelled.

    Example:
        >>> from pydantic import Field
        >>> from automl.engine.trial.objective import Objective
        >>> from automl.engine.trial.contract import Status
        >>> class HalfFailedLimits(Options):
        ...     half_failed: bool = Field(default=False, description="stop once half of all trials have failed")
        >>> class HalfFailed(ExitCriterion):
        ...     Limits = HalfFailedLimits
        ...
        ...     @classmethod
        ...     def from_limits(cls, limits):
        ...         return cls() if limits.half_failed else None
        ...
        ...     def check(self, state):
        ...         half = state.finished > 0 and 2 * state.failures >= state.finished
        ...         return f"half_failed: {state.failures} of {state.finished} trials failed" if half else None
        >>> HalfFailed().check(SearchState(Objective("accuracy"), counts={Status.FAILED: 2, Status.COMPLETED: 1}))
        'half_failed: 2 of 3 trials failed'
    """

    Limits: ClassVar[type[Options]] = Options
    lets_running_finish: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def from_limits(cls, limits: Any) -> Self | None:
        """The criterion that `limits` (an instance of `Limits`) declares; None when it is not asked for."""

    @abstractmethod
    def check(self, state: SearchState) -> str | None:
        """Return why to stop now, as a sentence for the user; None to continue."""

"""The progress of a search, fed with one `SearchState` after another."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from automl.engine.study.state import SearchState

__all__ = ["ProgressView"]


class ProgressView:
    """The quiet view: shows nothing. Base of the others.

    `update` may be called hundreds of times a second, and is cheap.

    Example:
        >>> from automl.engine.trial.objective import Objective
        >>> with ProgressView() as progress:
        ...     progress.say("reading the data")
        ...     progress.update(SearchState(Objective("accuracy")))
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(self, state: SearchState) -> None:
        """Show the search as it is now. Every state must be passed, in order: `state.new` is counted."""

    def say(self, message: str) -> None:
        """A line that stays: what happens outside the search, such as a guardrail or the registration."""

    def close(self) -> None:
        """Leave the view in its final state. May be called twice."""

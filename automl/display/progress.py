"""The progress of a search, fed with one `SearchState` after another.

A terminal gets a live view, a notebook an output that is rewritten in place, everything else plain lines.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console

from automl.search.state import SearchState

__all__ = ["Progress", "make_progress"]


class Progress:
    """The quiet view: shows nothing. Base of the others.

    `update` may be called hundreds of times a second, and is cheap.

    Example:
        >>> with Progress() as progress:
        ...     progress.say("reading the data")
        ...     progress.update(SearchState(metric="accuracy", maximize=True))
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(self, state: SearchState) -> None:
        """Show the search as it is now. Every state has to be passed, in order: `state.new` is counted."""

    def say(self, message: str) -> None:
        """A line that stays: what happens outside the search, such as a guardrail or the registration."""

    def close(self) -> None:
        """Leave the view as it is to stay. May be called twice."""


def make_progress(show: bool = True, *, title: str = "", console: Console | None = None) -> Progress:
    """The view that suits where the output goes.

    Args:
        show: False for the quiet one.
        title: the experiment's name.
        console: where to write; by default standard output.
    """
    if not show:
        return Progress()
    from automl.display.live import LiveProgress
    from automl.display.plain import PlainProgress

    if console is None and _in_notebook():
        from automl.display.notebook import NotebookProgress

        return NotebookProgress(title)
    console = console or Console()
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveProgress(title, console)
    return PlainProgress(title, console.file)


def _in_notebook() -> bool:
    """True below a Jupyter kernel, whose shell displays rich objects."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ in ("ZMQInteractiveShell", "Shell") and hasattr(shell, "kernel")

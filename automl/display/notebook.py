"""Progress in a notebook: one output that is rewritten in place. Needs nothing but the kernel's own IPython."""

from __future__ import annotations

import io
import time
from typing import Any

from rich.console import RenderableType

from automl.display.live import view
from automl.display.progress import ProgressView
from automl.display.tally import Tally
from automl.display.terminal import VisibleConsole
from automl.engine.study.state import SearchState
from automl.visible import visible

__all__ = ["NotebookProgress", "to_html"]

_FORMAT = "<pre style='line-height:normal;font-family:Menlo,DejaVu Sans Mono,Consolas,monospace'>{code}</pre>"


class NotebookProgress(ProgressView):
    """The live view as HTML, at most twice a second.

    Args:
        title: the experiment's name.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._tally = Tally()
        self._state: SearchState | None = None
        self._drawn = -1.0
        self._handle: Any = None

    def update(self, state: SearchState) -> None:
        self._tally.add(state)
        self._state = state
        if time.monotonic() - self._drawn >= 0.5:
            self._draw(state)

    def say(self, message: str) -> None:
        print(visible(message))  # noqa: T201 - a notebook keeps it above the view

    def close(self) -> None:
        if self._state is not None:
            self._draw(self._state)
            self._state = None

    def _draw(self, state: SearchState) -> None:
        from IPython.display import HTML, display  # type: ignore[import-not-found,unused-ignore]

        self._drawn = time.monotonic()
        shown = HTML(to_html(view(self._title, state, self._tally)))
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)


def to_html(renderable: RenderableType, *, width: int = 100) -> str:
    """A Rich object as HTML with inline styles."""
    console = VisibleConsole(record=True, width=width, file=io.StringIO(), force_jupyter=False)
    console.print(renderable)
    return console.export_html(inline_styles=True, code_format=_FORMAT)

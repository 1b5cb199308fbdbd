"""The choice of the progress view that suits the place where the output goes.

A terminal gets a live view, a notebook an output that is rewritten in place, everything else plain lines.
"""

from __future__ import annotations

import sys
from typing import IO, cast

from rich.console import Console

from automl.display.progress import ProgressView
from automl.display.terminal import VisibleConsole
from automl.display.tolerant import Tolerant

__all__ = ["make_progress"]


def make_progress(show: bool = True, *, title: str = "", console: Console | None = None) -> ProgressView:
    """The view that suits where the output goes.

    Args:
        show: False for the quiet one.
        title: the experiment's name.
        console: where to write; by default standard output.
    """
    if not show:
        return ProgressView()
    from automl.display.live import LiveProgress
    from automl.display.plain import PlainProgress

    if console is None and _in_notebook():
        from automl.display.notebook import NotebookProgress

        return NotebookProgress(title)
    if console is None:
        console = VisibleConsole(file=None if sys.stdout is None else cast("IO[str]", Tolerant(sys.stdout)))
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveProgress(title, console)
    return PlainProgress(title, console.file)


def _in_notebook() -> bool:
    """True below a Jupyter kernel, whose shell displays rich objects."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ in ("ZMQInteractiveShell", "Shell") and hasattr(shell, "kernel")

"""A bar for what takes long before a search begins: downloads and decoding. Only in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(title: str, total: int, *, show: bool, in_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """Gives a function that is told how much more is done.

    Args:
        title: what is being done.
        total: pictures, or bytes.
        show: False for none; without a terminal on standard error there is none anyway.
        in_bytes: `total` counts bytes.
    """
    if not show:
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    watched = console.is_terminal and not console.is_dumb_terminal
    counted = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counted, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not watched) as bar:
        task = bar.add_task(title, total=total or None)
        yield lambda done: bar.advance(task, done)

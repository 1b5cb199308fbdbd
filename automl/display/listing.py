"""Tables in which nothing is folded: a narrow terminal does without the columns that matter least."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from automl.display.figures import cell, score
from automl.display.terminal import show, terminal

__all__ = ["fitting", "print_listing", "whole_width"]

_SCORES = ("best", "value")


def fitting(
    make: Callable[[Sequence[str]], Table], columns: Sequence[str], dropped: Sequence[str], width: int | None
) -> Table:
    """The table that `make` builds of as many of `columns` as fit.

    Args:
        make: builds a table of the columns that it is given.
        dropped: columns to do without, in this order, until the table fits.
        width: characters; None for a table of all columns.
    """
    kept = list(columns)
    table = make(kept)
    for column in dropped:
        if width is None or whole_width(table) <= width:
            break
        if column in kept:
            kept.remove(column)
            table = make(kept)
    return table


def print_listing(
    rows: Sequence[Mapping[str, Any]], *, dropped: Sequence[str] = (), console: Console | None = None
) -> None:
    """Print rows with a head.

    Args:
        rows: all with the same keys.
        dropped: columns that a narrow terminal does without, in this order. If that is not enough, the lines are longer
            than the terminal is wide: names and ids stay whole, to be copied.
    """
    console = console or terminal()
    table = fitting(lambda columns: _listing(rows, columns), list(rows[0]), dropped, console.width)
    table.width = max(whole_width(table), 1)
    show(table, console)


def _listing(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        numeric = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_shown(name, row[name])) for name in columns))
    return table


def _shown(name: str, value: Any) -> str:
    return score(value) if name in _SCORES and isinstance(value, float) else cell(value)


def whole_width(table: Table) -> int:
    """Characters that a table takes where nothing in it is folded."""
    console = Console(width=10_000, file=None)
    return Measurement.get(console, console.options, table).maximum

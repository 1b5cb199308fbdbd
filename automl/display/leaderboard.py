"""The leaderboard as a table that fits the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from automl.display.figures import cell, clock, latency, score, size
from automl.display.listing import fitting
from automl.display.terminal import show, terminal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["leaderboard_table", "print_leaderboard"]

Rows = Sequence[Mapping[str, Any]]

_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "score": score,
    "spread": lambda value: f"±{value:.4f}",
    "fit_seconds": clock,
    "predict_seconds": clock,
    "latency": latency,
    "seconds": clock,
    "size": lambda value: size(value) if value else "",
    "done": str,
    "front": lambda value: "*" if value else "",
    "over_limit": lambda value: str(value).replace("predict_time", "latency").replace("model_size", "size"),
    "status": lambda value: str(value).lower().replace("_", " "),
}
_HEADS = {
    "fit_seconds": "fit",
    "predict_seconds": "predict",
    "seconds": "time",
    "front": "",
    "over_limit": "over limit",
}
_DROPPED = (
    "predict_seconds", "spread", "fit_seconds", "size", "status", "latency", "seconds", "over_limit", "front", "trial",
)  # fmt: skip
"""Columns in the order in which a narrow terminal does without them."""


def leaderboard_table(
    board: pd.DataFrame | Rows, *, metric: str = "score", picked: int | None = None, width: int | None = None
) -> Table:
    """A Rich table of `board`.

    Args:
        board: rows with any of rank, trial, algorithm, score, progress (share of the full work that the score is of;
            shown where it is a part), spread (over folds), fit_seconds, predict_seconds, latency (seconds for one row),
            size (bytes), front (shown as a star), over_limit, status; further columns are shown unchanged.
        metric: heads the score.
        picked: the winner's number, marked with ``>`` unless it ranks first; None for the one that ranks first.
        width: characters; columns are left out until the table fits.
    """
    rows = [_with_done(row) for row in _rows(board)]
    columns = list(rows[0]) if rows else ["rank", "trial", "algorithm", "score", "status"]
    columns = [name for name in columns if name not in ("over_limit", "done") or any(row[name] for row in rows)]
    return fitting(lambda chosen: _table(rows, chosen, metric, picked), columns, _DROPPED, width)


def print_leaderboard(
    board: pd.DataFrame | Rows,
    *,
    metric: str = "score",
    picked: int | None = None,
    limit: int | None = 20,
    console: Console | None = None,
) -> None:
    """Print the first `limit` rows; plain text where the output is not a terminal."""
    console = console or terminal()
    rows = _rows(board)
    shown = rows[:limit]
    shown += [row for row in rows[len(shown) :] if picked is not None and row.get("trial") == picked]
    show(leaderboard_table(shown, metric=metric, picked=picked, width=console.width), console)
    if len(rows) > len(shown):
        console.print(f"and {len(rows) - len(shown)} more", style="dim")
    if any(row.get("front") for row in shown):
        console.print("* no other trial is as good in score, latency and size, and better in one", style="dim")
    if any(map(_done, shown)):
        console.print("done: the score is of this share of the work only, so it is not comparable", style="dim")


def _rows(board: pd.DataFrame | Rows) -> list[dict[str, Any]]:
    records = board if isinstance(board, Sequence) else board.to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]


def _with_done(row: Mapping[str, Any]) -> dict[str, Any]:
    """`row` with the wording for its progress in the progress's place."""
    return {("done" if name == "progress" else name): _done(row) if name == "progress" else row[name] for name in row}


def _done(row: Mapping[str, Any]) -> str:
    """``20%``, or ``part`` where it is unknown how much; empty where there is no score, or it is of the full work."""
    if "progress" not in row or not cell(row.get("score")):
        return ""
    if not cell(row["progress"]):
        return "part"
    return f"{row['progress']:.0%}" if row["progress"] < 1 else ""


def _table(rows: Rows, columns: Sequence[str], metric: str, picked: int | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        name = metric if column == "score" else _HEADS.get(column, column)
        text = column in ("algorithm", "status") or any(isinstance(row[column], str) for row in rows)
        table.add_column(name, justify="left" if text else "right", no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = {column: _shown(column, row[column]) for column in columns}
        if picked is not None and row.get("trial") == picked and cells.get("rank", "1") != "1":
            cells["rank"] = f"> {cells['rank']}"
        table.add_row(*map(Text, cells.values()), style=_style(row, picked))
    return table


def _style(row: Mapping[str, Any], picked: int | None) -> str:
    rank = cell(row.get("rank"))
    if rank == "1" if picked is None else row.get("trial") == picked:
        return "bold green"
    return "" if rank or "rank" not in row else "dim"


def _shown(column: str, value: Any) -> str:
    text = cell(value)
    if not text or column not in _SHOWN:
        return score(value) if text and isinstance(value, float) else text
    return _SHOWN[column](value)

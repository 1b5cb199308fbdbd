"""The reports on an experiment that are printed when it has ended, or later: result, experiment, trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.text import Text

from automl.display.figures import folded, score
from automl.display.leaderboard import print_leaderboard
from automl.display.plan import render_guardrails, render_plan
from automl.display.terminal import show, terminal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reported", "print_choice", "print_cut", "print_experiment", "print_result", "print_trial"]

_NAMES = 15
"""Columns of the names before lines of a report."""


class _Registered(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def message(self) -> str: ...


class _Winner(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def trial(self) -> int | None: ...
    @property
    def value(self) -> float: ...
    @property
    def because(self) -> str: ...


class _Summary(Protocol):
    @property
    def metric(self) -> str: ...
    @property
    def winner(self) -> _Winner | None: ...
    @property
    def pruning(self) -> object | None: ...
    @property
    def not_registered(self) -> str: ...


class Reported(Protocol):
    """The parts of a result that the report reads."""

    @property
    def summary(self) -> _Summary: ...
    @property
    def stopped_because(self) -> str: ...
    @property
    def budget(self) -> Any: ...
    @property
    def registered_model(self) -> _Registered | None: ...
    @property
    def guardrails(self) -> Sequence[Any]: ...
    @property
    def test_metrics(self) -> Mapping[str, float]: ...
    @property
    def directory(self) -> Path: ...
    def leaderboard(self) -> pd.DataFrame: ...


def print_result(result: Reported, *, limit: int = 10, console: Console | None = None) -> None:
    """Print the outcome of a search: alerts, leaderboard, why it stopped, and the registered model."""
    console = console or terminal()
    metric, winner = result.summary.metric, result.summary.winner
    found = [guardrail for guardrail in result.guardrails if str(guardrail.verdict).lower() != "passed"]
    if found:
        show(render_guardrails(found), console)
        console.print()
    picked = None if winner is None else winner.trial
    print_leaderboard(result.leaderboard(), metric=metric, picked=picked, limit=limit, console=console)
    console.print()
    _print_lines(_outcome(result), console)


def print_cut(result: Reported, *, console: Console | None = None) -> None:
    """Print the outcome of a search that had no time left for a report: all but alerts and leaderboard."""
    winner, metric = result.summary.winner, result.summary.metric
    best = [] if winner is None else [("best", f"{winner.title}, {metric} = {score(winner.value)}")]
    _print_lines([*best, *_outcome(result)], console or terminal())


def _outcome(result: Reported) -> list[tuple[str, str]]:
    metric, winner = result.summary.metric, result.summary.winner
    lines = [] if winner is None else _picked(winner.title, winner.because)
    lines += [("stopped because", result.stopped_because), ("time", str(result.budget))]
    if result.summary.pruning is not None:
        lines.append(("pruning", str(result.summary.pruning)))
    if metric in result.test_metrics:
        lines.append(("test", f"{metric} = {score(result.test_metrics[metric])}"))
    registered = result.registered_model
    if registered is not None:
        lines.append(("registered", registered.message or f"{registered.name} version {registered.version}"))
    elif result.summary.not_registered:
        lines.append(("registered", f"no: {result.summary.not_registered}"))
    lines.append(("directory", str(result.directory)))
    return lines


def _picked(title: str, why: str) -> list[tuple[str, str]]:
    """Said only where the winner is not simply the best score."""
    return [("picked", f"{title}. {why}")] if why else []


def _print_lines(lines: Sequence[tuple[str, str]], console: Console) -> None:
    """Names and sentences, folded between words; a path longer than a line stays whole, to be copied."""
    for name, value in lines:
        first, *others = folded(value, max(20, console.width - _NAMES - 2))
        rest = "".join(f"\n{'':{_NAMES}}  {line}" for line in others)
        console.print(Text.assemble((f"{name:>{_NAMES}}  ", "dim"), first, rest), soft_wrap=True)


def print_choice(described: Mapping[str, Any], *, limit: int = 20, console: Console | None = None) -> None:
    """Print the leaderboard of a running or finished experiment, and why its winner was picked."""
    console = console or terminal()
    board, winner = described["leaderboard"], described["winner"]
    if not board:
        console.print("no trial has ended yet")
        return
    print_leaderboard(board, metric=described["metric"], picked=_trial(winner), limit=limit, console=console)
    console.print()
    lines = [] if winner is None else _picked(winner["title"], winner["because"])
    lines.append(("latency", "time to predict one row, measured while the search ran"))
    _print_lines(lines, console)


def _trial(winner: Mapping[str, Any] | None) -> int | None:
    """Number of the trial that a winner is; None for one that is made of several."""
    return winner["trials"][0] if winner is not None and len(winner["trials"]) == 1 else None


def print_experiment(described: Mapping[str, Any], console: Console | None = None) -> None:
    """Print an experiment's record: its ``leaderboard`` or ``trials`` as a table, everything else as lines."""
    console = console or terminal()
    boards = [name for name in ("leaderboard", "trials") if isinstance(described.get(name), list | tuple)]
    said = {name: value for name, value in described.items() if value is not None and value not in ("", {}, [], ())}
    rest = {name: value for name, value in said.items() if name not in boards}
    for name in boards[:1]:
        metric, picked = str(described.get("metric", "score")), _trial(described.get("winner"))
        print_leaderboard(described[name], metric=metric, picked=picked, console=console)
        console.print()
    show(render_plan(rest), console)


def print_trial(described: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a trial's record, its failure's traceback last and as it was."""
    console = console or terminal()
    failure = described.get("failure") or {}
    traceback = str(failure.get("traceback") or "")
    rest = dict(described)
    if traceback:
        rest["failure"] = {name: value for name, value in failure.items() if name != "traceback"}
    show(render_plan(rest), console)
    if traceback:
        console.print()
        console.print(Text(traceback), soft_wrap=True)

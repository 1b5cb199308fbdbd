"""What is printed about an experiment when it has ended, or later: result, experiment, trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.text import Text

from automl.display.figures import score
from automl.display.leaderboard import print_leaderboard
from automl.display.plan import render_guardrails, render_plan
from automl.display.terminal import terminal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reported", "print_experiment", "print_result", "print_trial"]


class _Registered(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def message(self) -> str: ...


class _Summary(Protocol):
    @property
    def metric(self) -> str: ...
    @property
    def not_registered(self) -> str: ...


class Reported(Protocol):
    """What the report reads of a result."""

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
    """Print what a search came to: alerts, leaderboard, why it stopped, and the registered model."""
    console = console or terminal()
    metric = result.summary.metric
    found = [guardrail for guardrail in result.guardrails if str(guardrail.verdict).lower() != "passed"]
    if found:
        console.print(render_guardrails(found))
        console.print()
    print_leaderboard(result.leaderboard(), metric=metric, limit=limit, console=console)
    console.print()
    lines = [("stopped because", result.stopped_because), ("time", str(result.budget))]
    if metric in result.test_metrics:
        lines.append(("test", f"{metric} = {score(result.test_metrics[metric])}"))
    registered = result.registered_model
    if registered is not None:
        note = f" ({registered.message})" if registered.message else ""
        lines.append(("registered", f"{registered.name} version {registered.version}{note}"))
    elif result.summary.not_registered:
        lines.append(("registered", f"no: {result.summary.not_registered}"))
    lines.append(("directory", str(result.directory)))
    for name, value in lines:
        console.print(Text.assemble((f"{name:>15}  ", "dim"), value), soft_wrap=True)


def print_experiment(described: Mapping[str, Any], console: Console | None = None) -> None:
    """Print an experiment's record: its ``leaderboard`` or ``trials`` as a table, everything else as lines."""
    console = console or terminal()
    boards = [name for name in ("leaderboard", "trials") if isinstance(described.get(name), list | tuple)]
    rest = {name: value for name, value in described.items() if name not in boards}
    for name in boards[:1]:
        print_leaderboard(described[name], metric=str(described.get("metric", "score")), console=console)
        console.print()
    console.print(render_plan(rest))


def print_trial(described: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a trial's record, its failure's traceback last and as it was."""
    console = console or terminal()
    failure = described.get("failure") or {}
    traceback = str(failure.get("traceback") or "")
    rest = dict(described)
    if traceback:
        rest["failure"] = {name: value for name, value in failure.items() if name != "traceback"}
    console.print(render_plan(rest))
    if traceback:
        console.print()
        console.print(Text(traceback), soft_wrap=True)

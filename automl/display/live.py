"""Progress in a terminal: a view that is redrawn a few times a second."""

from __future__ import annotations

import math
import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from automl.display.figures import clock, score
from automl.display.plain import outcome
from automl.display.progress import ProgressView
from automl.display.tally import FINAL, Tally, best_line, counts_line, time_line
from automl.engine.study.state import SearchState
from automl.engine.trial.contract import Status

__all__ = ["LiveProgress", "view"]

_STYLES = {Status.COMPLETED: "green", Status.PRUNED: "yellow", Status.CANCELLED: "yellow"}


class LiveProgress(ProgressView):
    """Running trials, counts, the best so far, time left and the latest trials.

    Args:
        title: the experiment's name.
        console: the terminal.
    """

    def __init__(self, title: str, console: Console) -> None:
        self._title, self._console = title, console
        self._tally = Tally()
        self._shown: tuple[SearchState, float] | None = None
        # A thread of Rich's calls _render four times a second: seconds pass on the screen while a long trial runs.
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4, transient=True)

    def update(self, state: SearchState) -> None:
        self._tally.add(state)
        self._shown = (state, time.monotonic())
        if not self._live.is_started:
            self._live.start()

    def say(self, message: str) -> None:
        self._console.print(Text(message), soft_wrap=True)  # paths in it stay whole

    def close(self) -> None:
        if not self._live.is_started:
            return
        self._live.stop()
        if self._shown is not None:
            state, _ = self._shown
            self._console.print(_summary(state))

    def _render(self) -> RenderableType:
        if self._shown is None:
            return Text(self._title)
        state, when = self._shown
        since = 0.0 if state.stopped_because else time.monotonic() - when
        return view(
            self._title, state, self._tally, since=since, width=self._console.width, height=self._console.height
        )


def _summary(state: SearchState) -> Text:
    text = Text(f"{counts_line(state)} in {clock(state.elapsed)}; best ")
    text.append(best_line(state), style="bold green" if state.best else "dim")
    if state.stopped_because:
        text.append(f"\nstopped: {state.stopped_because}")
    return text


def view(
    title: str, state: SearchState, tally: Tally, *, since: float = 0.0, width: int = 100, height: int = 40
) -> RenderableType:
    """Render the screen `since` seconds after `state` was made, within `height` lines where that is possible."""
    head = Text.assemble(
        (title, "bold"), "  " if title else "", time_line(state, since), overflow="ellipsis", no_wrap=True
    )
    best = Text("best  ", style="dim", overflow="ellipsis", no_wrap=True)
    best.append(best_line(state), style="bold green" if state.best else "dim")
    parts: list[RenderableType] = [head]
    if math.isfinite(state.remaining):
        total = state.elapsed + state.remaining
        bar = ProgressBar(total=max(total, 1e-9), completed=min(total, state.elapsed + since))
        parts.append(Padding(bar))  # which ends the line
    parts += [Text(counts_line(state), overflow="ellipsis", no_wrap=True), best]
    rows = max(2, height - len(parts) - 3)
    running = min(len(state.running), rows // 2 if tally.recent else rows)
    table = _trials(width)
    for trial in state.running[:running]:
        seconds = clock(max(0.0, state.elapsed + since - trial.since))
        doing = FINAL if trial.final else "running"
        _row(table, trial.number, trial.algorithm, doing, seconds, score(trial.value), style="cyan")
    for finished in list(tally.recent)[: rows - running]:
        result = finished.result
        status = result.status.value.lower().replace("_", " ")
        said = score(result.value) if result.failure is None else outcome(finished).split(": ", 1)[-1]
        style = _STYLES.get(result.status, "red")
        _row(table, result.number, result.algorithm, status, clock(result.seconds), said, style=style)
    if table.row_count:
        parts.append(table)
    if len(state.running) > running:
        parts.append(Text(f"and {len(state.running) - running} more running", style="dim"))
    if state.interrupts == 1:
        parts.append(Text("finishing what is running; Ctrl-C again stops now", style="yellow"))
    return Group(*parts)


def _row(table: Table, *cells: object, style: str) -> None:
    table.add_row(*(Text(str(cell)) for cell in cells), style=style)  # a Text: messages may hold [brackets]


def _trials(width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0), expand=True)
    table.add_column("trial", justify="right", no_wrap=True, width=5)
    table.add_column("algorithm", no_wrap=True, overflow="ellipsis", width=16 if width >= 70 else 11)
    table.add_column("status", no_wrap=True, overflow="ellipsis", width=14 if width >= 70 else 9)
    table.add_column("time", justify="right", no_wrap=True, width=7)
    table.add_column("score", no_wrap=True, overflow="ellipsis", ratio=1)
    return table

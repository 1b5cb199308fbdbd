"""The findings of `automl plan` and of the guardrails, as sections for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, JustifyMethod, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from automl.display.figures import cell, digest, folded, size
from automl.display.listing import fitting, whole_width
from automl.display.terminal import show, terminal
from automl.visible import visible, visible_values

__all__ = ["print_plan", "render_guardrails", "render_plan"]

_MOST_ROWS = 50
"""A table of thousands of columns is not read by anyone."""

_INDENT = 2

_UNITS: Mapping[str, Callable[[float], str]] = {
    "seconds": lambda value: f"{value:.6g} s",
    "time_budget": lambda value: f"{value:.6g} s",
    "trial_timeout": lambda value: f"{value:.6g} s",
    "predict_time": lambda value: f"{value:.6g} s",
    "trial_memory": size,
    "peak_memory": size,
    "gpu_memory": size,
    "model_size": size,
}
"""The wording of numbers with a unit, by their names in limits and records."""

_TITLES = {"mlflow": "MLflow"}
"""Sections that are not called what their key says."""

_DIGESTS = ("fingerprint", "split_plan", "sha256")
"""Hashes, by their names in records."""

_PATHS = ("estimator",)
"""Columns of import paths: on a narrow terminal the class alone says which it is."""

_DROPPED = ("configurations", "cost", "parameters")
"""Columns that a table with such paths then drops, in this order, until it fits."""

_VERDICTS = {"alerted": ("!", "bold yellow"), "done": ("~", "cyan"), "passed": ("✓", "green")}


def print_plan(described: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a plan: a mapping becomes lines, a list of mappings a table; what is empty is left out."""
    said = {name: value for name, value in described.items() if value not in ([], (), {})}
    show(render_plan(said), console or terminal())


def render_plan(described: Mapping[str, Any]) -> RenderableType:
    """The sections of `print_plan`; short values first, as lines, then everything that takes its own section."""
    described = visible_values(described)
    short = {name: value for name, value in described.items() if not _is_section(value)}
    parts: list[RenderableType] = [_lines(short)] if short else []
    for name, value in described.items():
        if _is_section(value):
            parts += [Text(_title(name), style="bold"), _Indented(_section(value))]
    return Group(*parts)


def render_guardrails(guardrails: Sequence[Any], *, passed: bool = True) -> RenderableType:
    """One line for each guardrail, alerts first.

    Args:
        guardrails: values with name, verdict (passed, done, alerted), message and columns, or mappings of these.
        passed: also those that found nothing.
    """
    order = list(_VERDICTS)
    lines = []
    for guardrail in guardrails:
        verdict, name, message = (_field(guardrail, key) for key in ("verdict", "name", "message"))
        if passed or verdict.lower() != "passed":
            sign, style = _VERDICTS.get(verdict.lower(), ("-", ""))
            text = Text.assemble((f"{sign} ", style), (f"{name.replace('_', ' ')}: ", "bold"), message)
            lines.append((verdict.lower(), text))
    lines.sort(key=lambda line: order.index(line[0]) if line[0] in order else len(order))
    return Group(*(text for _, text in lines))


def _field(guardrail: Any, name: str) -> str:
    value = guardrail[name] if isinstance(guardrail, Mapping) else getattr(guardrail, name)
    return visible(str(value), lines=False)


def _is_section(value: Any) -> bool:
    """A mapping, or a list of mappings; a list of plain values fits on a line."""
    entries = value if isinstance(value, list | tuple) else [value]
    return bool(value) and all(isinstance(entry, Mapping) for entry in entries)


def _title(name: str) -> str:
    return _TITLES.get(name) or name[:1].upper() + name[1:].replace("_", " ")


def _section(value: Any) -> RenderableType:
    if isinstance(value, Mapping):
        return render_plan(value) if any(map(_is_section, value.values())) else _lines(value)
    if all({"name", "verdict", "message"} <= set(row) for row in value):
        return render_guardrails(value)
    return _Rows(value)


def _lines(values: Mapping[str, Any]) -> RenderableType:
    return _Lines({name.replace("_", " "): _said(name, value) for name, value in values.items()})


def _said(name: str, value: Any) -> str:
    if value is None or value in ("", [], (), {}):
        return "none"
    if name in _DIGESTS and isinstance(value, str):
        return digest(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return _UNITS[name](value) if number and name in _UNITS else _entry(value)


@dataclass(frozen=True)
class _Lines:
    """Names and values, folded between words. Rich's own table would break a path that is longer than a line."""

    values: Mapping[str, str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names = max(map(len, self.values), default=0)
        for name, value in self.values.items():
            first, *others = folded(value, max(20, options.max_width - names - 2))
            rest = "".join(f"\n{'':{names}}  {line}" for line in others)
            yield Text.assemble((f"{name:{names}}  ", "dim"), first, rest, no_wrap=True, overflow="ignore")


@dataclass(frozen=True)
class _Indented:
    """Like Rich's padding on the left, but nothing is cut off on the right."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrower = options.update_width(max(1, options.max_width - _INDENT))
        for line in Segment.split_lines(console.render(self.inner, narrower)):
            yield from (Segment(" " * _INDENT), *line, Segment.line())


@dataclass(frozen=True)
class _Rows:
    """A table in which sentences are folded, and import paths are not."""

    rows: Sequence[Mapping[str, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        shown = self.rows[:_MOST_ROWS]
        table = _table(shown, columns)
        if set(_PATHS).intersection(columns) and whole_width(table) > options.max_width:
            brief = [{name: _brief(name, value) for name, value in row.items()} for row in shown]
            table = fitting(lambda kept: _table(brief, kept), columns, _DROPPED, options.max_width)
        yield table
        if len(self.rows) > _MOST_ROWS:
            yield Text(f"and {len(self.rows) - _MOST_ROWS} more", style="dim")


def _brief(name: str, value: Any) -> Any:
    return value.rpartition(".")[2] if name in _PATHS and isinstance(value, str) else value


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for position, name in enumerate(columns):
        justify: JustifyMethod = (
            "right" if all(isinstance(row.get(name), int | float | None) for row in rows) else "left"
        )
        table.add_column(name.replace("_", " "), justify=justify, overflow="fold", no_wrap=position == 0)
    for row in rows:
        table.add_row(*(Text(_cell(name, row.get(name))) for name in columns))
    return table


def _cell(name: str, value: Any) -> str:
    return digest(value) if name in _DIGESTS and isinstance(value, str) else _entry(value)


def _entry(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={cell(child)}" for name, child in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(cell(child) for child in value)
    return cell(value)

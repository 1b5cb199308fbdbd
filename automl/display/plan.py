"""What `automl plan` found out, and what guardrails say, as sections for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from automl.display.figures import cell
from automl.display.terminal import terminal

__all__ = ["print_plan", "render_guardrails", "render_plan"]

_MOST_ROWS = 50
"""A table of thousands of columns is not read by anybody."""

_VERDICTS = {"alerted": ("!", "bold yellow"), "done": ("~", "cyan"), "passed": ("✓", "green")}


def print_plan(described: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a plan: each key a section. A mapping becomes lines, a list of mappings a table."""
    (console or terminal()).print(render_plan(described))


def render_plan(described: Mapping[str, Any]) -> RenderableType:
    """The sections of `print_plan`; short values first, as lines, then everything that takes a section of its own."""
    short = {name: value for name, value in described.items() if not _is_section(value)}
    parts: list[RenderableType] = [_lines(short)] if short else []
    for name, value in described.items():
        if _is_section(value):
            parts += [Text(_title(name), style="bold"), Padding(_section(value), (0, 0, 0, 2))]
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
    return str(guardrail[name] if isinstance(guardrail, Mapping) else getattr(guardrail, name))


def _is_section(value: Any) -> bool:
    """A mapping, or a list of mappings; a list of plain values fits on a line."""
    entries = value if isinstance(value, list | tuple) else [value]
    return bool(value) and all(isinstance(entry, Mapping) for entry in entries)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _section(value: Any) -> RenderableType:
    if isinstance(value, Mapping):
        return render_plan(value) if any(map(_is_section, value.values())) else _lines(value)
    if all({"name", "verdict", "message"} <= set(row) for row in value):
        return render_guardrails(value)
    return _table(value)


def _lines(values: Mapping[str, Any]) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in values.items():
        table.add_row(name.replace("_", " "), Text("none" if value is None or value in ([], (), {}) else _entry(value)))
    return table


def _table(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows[:_MOST_ROWS]:
        table.add_row(*(Text(_entry(row.get(name))) for name in columns))
    if len(rows) > _MOST_ROWS:
        return Group(table, Text(f"and {len(rows) - _MOST_ROWS} more", style="dim"))
    return table


def _entry(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={cell(child)}" for name, child in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(cell(child) for child in value)
    return cell(value)

"""The places where reports are printed: the terminal itself, or plain text as wide as it needs to be."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from automl.visible import visible

__all__ = ["VisibleConsole", "only_visible", "print_json", "show", "terminal"]

_PLAIN_WIDTH = 160
"""Columns where there is no terminal: text in a file or a pipe is not folded at Rich's 80."""


class VisibleConsole(Console):
    """A console whose terminal obeys Rich alone: no text that is printed can command it."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            shown = segment.text if segment.control else visible(segment.text)
            yield segment if shown == segment.text else Segment(shown, segment.style)


class _VisibleStream:
    """Standard output or error to which text can be written, and commands cannot."""

    def __init__(self, stream: IO[str]) -> None:
        self.rich_proxied_file = stream  # what Rich looks for, to write its own commands to

    def write(self, text: str) -> int:
        self.rich_proxied_file.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextmanager
def only_visible() -> Iterator[None]:
    """For the length of a `with` block, whatever is printed is shown; only Rich's consoles command the terminal."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_VisibleStream(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def terminal(file: IO[str] | None = None) -> Console:
    """A console on `file`, by default standard output. Without a terminal: no colours, and $COLUMNS or 160 columns."""
    console = VisibleConsole(file=file, highlight=False, soft_wrap=False)
    if console.is_terminal or console.is_jupyter:
        return console
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdigit() and int(columns) > 0 else _PLAIN_WIDTH
    return VisibleConsole(file=file, width=width, highlight=False, no_color=True)


def show(renderable: RenderableType, console: Console) -> None:
    """Print with no line cut off; where there is no terminal, without the blanks that fill up Rich's lines."""
    if console.is_terminal or console.is_jupyter:
        console.print(renderable, crop=False)
        return
    with console.capture() as captured:
        console.print(renderable, crop=False)
    lines = captured.get().split("\n")
    console.print(Text("\n".join(line.rstrip() for line in lines)), end="", soft_wrap=True)


def print_json(value: Any, file: IO[str] | None = None) -> None:
    """`value` as JSON that every parser takes: NaN and infinity become null, what JSON does not know becomes text."""
    stream = file or sys.stdout
    json.dump(_plain(value), stream, indent=2, allow_nan=False)
    stream.write("\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(child) for name, child in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(child) for child in value]
    if value is None or isinstance(value, bool | str):
        return value
    if hasattr(value, "item") and not hasattr(value, "__len__"):  # a NumPy scalar
        return _plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if type(value).__name__ in ("NAType", "NaTType") else str(value)

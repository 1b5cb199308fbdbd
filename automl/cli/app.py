"""The Typer application that commands add themselves to, and what they share."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl.display.listing import print_listing
from automl.display.terminal import print_json
from automl.redact import RedactingFormatter

if TYPE_CHECKING:
    from automl.experiment.result import Result

__all__ = [
    "AsJson",
    "Quiet",
    "Verbose",
    "app",
    "last_words",
    "models",
    "print_json",
    "print_outcome",
    "print_rows",
    "runs",
    "set_verbosity",
]

app = typer.Typer(
    name="automl",
    help="Search for the best model within a time budget, and register it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
runs = typer.Typer(help="Experiments: what ran, what runs.", no_args_is_help=True)
models = typer.Typer(help="Registered models.", no_args_is_help=True)
app.add_typer(runs, name="runs")
app.add_typer(models, name="models")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and the result only.")]


def set_verbosity(verbose: bool = False, quiet: bool = False) -> None:
    """Send the logger "automl" to standard error, plainly."""
    logger = logging.getLogger("automl")
    logger.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.INFO)
    if not logger.handlers:
        handler = _ToStandardError()
        handler.setFormatter(RedactingFormatter("%(levelname)s: %(message)s" if verbose else "%(message)s"))
        logger.addHandler(handler)
        logger.propagate = False


class _ToStandardError(logging.Handler):
    """Whole lines, for paths in them to be copied; to what `sys.stderr` is now: a live view puts itself there."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def print_rows(rows: Iterable[Mapping[str, Any]], *, as_json: bool, empty: str, dropped: Sequence[str] = ()) -> None:
    """Print a listing: a table for people, or a JSON array of objects.

    Args:
        empty: what is printed where there is nothing to list.
        dropped: columns that a narrow terminal does without, in this order.
    """
    listed = [dict(row) for row in rows]
    if as_json:
        print_json(listed)
    elif listed:
        print_listing(listed, dropped=dropped)
    else:
        print(empty)


def print_outcome(result: Result, *, as_json: bool, brief: bool = False) -> None:
    """Print the outcome of a run: a report for people, or a JSON object.

    Args:
        brief: without what takes time to put together.
    """
    from automl.display.report import print_cut, print_result

    if as_json:
        print_json(result.summary.model_dump(mode="json"))
    elif brief:
        print_cut(result)
    else:
        print_result(result)


def last_words(as_json: bool) -> Callable[[Result], None]:
    """Return the function that reports a run whose process is ended."""
    return partial(print_outcome, as_json=as_json, brief=True)

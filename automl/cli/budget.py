"""The time budget of a command, found before anything large is imported."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from automl.deadline import Deadline, process_started
from automl.durations import parse_duration
from automl.errors import AutomlError

__all__ = ["clock_of"]

_COMMANDS = ("run", "resume")
_BUDGET = "--time-budget"
_WITH_VALUE = (_BUDGET, "--workspace", "--max-trials")
_LARGEST = 10_000
"""Bytes of a clock.json that is one."""


def clock_of(arguments: Sequence[str]) -> Deadline | None:
    """The clock of the command that `arguments` ask for, counting since the process was started.

    None where it has no limit, and where there may be something to deliver however late it is: in an experiment that
    has models. Wrong arguments are reported by the code that reads them all.
    """
    if not arguments or arguments[0] not in _COMMANDS or {"-h", "--help"} & set(arguments):
        return None
    named, options = _parsed(arguments[1:])
    if named is None:
        return None
    with suppress(AutomlError, OSError, ValueError, TypeError, LookupError, RecursionError):
        if arguments[0] == "run":
            return _counting(options.get(_BUDGET) or _limit(Path(named).expanduser()))
        directory = _experiment(named, options.get("--workspace"))
        if not _has_something(directory):
            budget = options.get(_BUDGET) or _limit(directory / "experiment.yaml")
            return _counting(budget, used=_used(directory / "clock.json"))
    return None


def _parsed(arguments: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """The first argument that is not an option, and what the options are that take a value."""
    named: str | None = None
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return named or next(rest, None), options
        option, equals, value = argument.partition("=")
        if option in _WITH_VALUE:
            options[option] = value if equals else next(rest, "")
        elif not argument.startswith("-"):
            named = named or argument
    return named, options


def _counting(budget: Any, *, used: float = 0.0) -> Deadline | None:
    """None where all of it is used: that has its own sentence."""
    if budget is None:
        return None
    deadline = Deadline.after(parse_duration(budget), used=used, started=process_started())
    return deadline if deadline.budget > used else None


def _experiment(named: str, workspace: str | None) -> Path:
    """The directory of an experiment, by itself or by one of its names.

    Raises:
        WorkspaceError: there is none.
    """
    directory = Path(named)
    if (directory / "experiment.yaml").is_file():
        return directory
    from automl.engine.workspace.layout import Workspace  # on purpose here, as below

    return Workspace.find(workspace).experiment(named).path


def _limit(file: Path) -> Any:
    """``limits.time_budget`` as written in a regular file; a pipe cannot be read twice."""
    from automl.yaml_file import read_document  # on purpose here: it is called beside the main thread's imports

    limits = read_document(file).values.get("limits") if file.is_file() else None
    return limits.get("time_budget") if isinstance(limits, dict) else None


def _has_something(directory: Path) -> bool:
    """Tell whether an experiment may have something to deliver."""
    return any(any(directory.glob(left)) for left in ("result.json", "trials/*/models/*", "trials/*/completed.json"))


def _used(clock: Path) -> float:
    """Seconds that earlier sessions have used.

    Raises:
        ValueError: the file says none.
    """
    if not clock.is_file():
        return 0.0
    with clock.open("rb") as stream:
        used = float(json.loads(stream.read(_LARGEST))["elapsed"])
    if not 0 <= used < math.inf:
        raise ValueError(used)
    return used

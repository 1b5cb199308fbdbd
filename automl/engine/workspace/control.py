"""Requests from other terminals: files in ``control/``, read at every turn of the search loop."""

from __future__ import annotations

import os
from typing import Any

from automl.engine.workspace.atomic import read_json, write_json
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import DamagedFileError

__all__ = ["discard", "request", "take"]


def request(experiment: ExperimentDirectory, verb: str, **details: Any) -> None:
    """Ask the process that runs `experiment` to do `verb` (``cancel``, ``extend``)."""
    write_json(experiment.control / f"{verb}.json", details)


def take(experiment: ExperimentDirectory, verb: str) -> dict[str, Any] | None:
    """The details of a pending request, which is removed; None when there is none."""
    path = experiment.control / f"{verb}.json"
    if not os.path.exists(path):
        return None
    try:
        details = read_json(path)
    except DamagedFileError:
        details = {}  # a stop was asked for, and no more can be known
    path.unlink(missing_ok=True)
    return details


def discard(experiment: ExperimentDirectory) -> None:
    """Forget requests that were made to an earlier session: it died before it could obey."""
    for path in experiment.control.glob("*.json"):
        path.unlink(missing_ok=True)

"""The records of a trial: params.json when it is proposed, trial.json when it has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automl.engine.trial.contract import TrialResult
from automl.engine.workspace.atomic import parse_json, read_bytes, write_text
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import DamagedFileError, WorkspaceError

__all__ = ["read_params", "read_proposal", "read_result", "write_result"]


def write_result(directory: TrialDirectory, result: TrialResult) -> None:
    """Write trial.json, whole or not at all. Only the driver calls this, once per number."""
    write_text(directory.result, result.model_dump_json(indent=1))


def read_result(directory: TrialDirectory) -> TrialResult | None:
    """Return what trial.json says; None when it is missing or not valid.

    Raises:
        WorkspaceError: it was written by a newer automl.
    """
    try:
        return TrialResult.model_validate(_read(directory.result))
    except ValueError:  # a ValidationError is one
        return None


def read_proposal(directory: TrialDirectory) -> dict[str, Any]:
    """Return what params.json says: ``algorithm``, ``params`` with their real values, ``attempt``, ``notes``, ...

    Empty when it is missing, or no record of a proposal.

    Raises:
        WorkspaceError: it was written by a newer automl.
    """
    written = _read(directory.params) or {}
    attempt, notes = written.get("attempt", 1), written.get("notes", {})
    sound = (
        isinstance(written.get("params"), dict)
        and isinstance(written.get("algorithm"), str)
        and (isinstance(attempt, int) and not isinstance(attempt, bool) and attempt > 0)
        and isinstance(notes, dict)
    )
    return written if sound else {}


def read_params(directory: TrialDirectory) -> dict[str, Any]:
    """The hyperparameters of a trial, with their real values; empty where `read_proposal` is."""
    params: dict[str, Any] = read_proposal(directory).get("params", {})
    return params


def _read(path: Path) -> dict[str, Any] | None:
    """The object in `path`; None where there is none that can be read."""
    try:
        content = read_bytes(path)
    except WorkspaceError:
        return None
    try:
        return parse_json(content, path)
    except DamagedFileError:
        return None

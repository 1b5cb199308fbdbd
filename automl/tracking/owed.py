"""Marks of what MLflow is owed: one for each experiment whose runs or models it may lack. The cheapest to look at.

A mark is made before anything is registered, and removed by the process that has brought everything to MLflow.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from automl.engine.workspace.atomic import read_json, write_json
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import WorkspaceError
from automl.redact import redact_text

__all__ = ["Mark", "is_owed", "owe", "owed"]

_SEPARATOR = "@"  # no experiment's name holds it


class Mark:
    """A mark as it was found.

    Args:
        directory: the experiment's.

    Attributes:
        uri: the store as the experiment names it, without credentials; None for the workspace's own.
        trials: its trials are wanted there, and not only its registered models.
    """

    def __init__(self, directory: ExperimentDirectory) -> None:
        self.directory, self._path = directory, _path(directory)
        said = self._read()
        self._token = said.get("token")
        self.uri: str | None = None if said.get("uri") is None else str(said["uri"])
        self.trials = bool(said.get("trials", True))

    def clear(self) -> None:
        """Note that MLflow has everything it was owed when this mark was read; what came later is still owed."""
        if self._token is not None and self._read().get("token") == self._token:
            self._path.unlink(missing_ok=True)

    def tried(self) -> None:
        """Note when it was tried in vain."""
        with suppress(OSError):  # cleared by another process meanwhile
            os.utime(self._path)

    def _read(self) -> dict[str, Any]:
        try:
            return read_json(self._path)
        except WorkspaceError:
            return {}


def owe(directory: ExperimentDirectory, uri: str | None, *, trials: bool) -> None:
    """Note that MLflow lacks something of an experiment, or is about to.

    Args:
        uri, trials: see `Mark`.

    Raises:
        WorkspaceError: the disk is full.
    """
    path = _path(directory)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"Cannot write to {path.parent}: {error.strerror or error}.") from error
    said = {"uri": None if uri is None else redact_text(uri), "trials": trials}
    write_json(path, {"token": secrets.token_hex(8), **said})
    os.utime(path, (0, 0))  # not tried yet


def is_owed(directory: ExperimentDirectory) -> bool:
    return _path(directory).exists()


def owed(workspace: Workspace, *, rest: float = 0.0) -> list[ExperimentDirectory]:
    """Experiments of which MLflow may lack something, oldest first.

    Args:
        rest: leave out those that were tried within this many seconds.
    """
    found = []
    try:
        entries = list(os.scandir(workspace.owed))
    except OSError:
        return []
    for entry in entries:
        name, separator, identifier = entry.name.removesuffix(".json").rpartition(_SEPARATOR)
        directory = ExperimentDirectory(workspace.root / name / identifier)
        if not separator or not entry.name.endswith(".json") or entry.name.startswith("."):
            continue
        if not directory.config.exists():
            Path(entry.path).unlink(missing_ok=True)  # its owner has deleted the experiment
        elif time.time() - entry.stat().st_mtime >= rest:
            found.append(directory)
    return sorted(found, key=lambda directory: directory.id)


def _path(directory: ExperimentDirectory) -> Path:
    return directory.workspace.owed / f"{directory.name}{_SEPARATOR}{directory.id}.json"

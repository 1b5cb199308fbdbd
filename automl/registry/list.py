"""The contents of the registry, as plain rows."""

from __future__ import annotations

from typing import Any

from automl.engine.workspace.layout import Workspace
from automl.errors import DamagedFileError, RegistryError
from automl.registry.candidate import CHAMPION
from automl.registry.places import ModelDirectory, VersionDirectory, all_models, find_model
from automl.registry.record import Registration

__all__ = ["list_models", "registered_trials", "show_model", "summary_row"]


def list_models(workspace: Workspace) -> list[dict[str, Any]]:
    """One row per registered model: name, champion's version, metric and value, number of versions, last change."""
    rows = filter(None, (_rows(model) for model in all_models(workspace)))
    return sorted(map(summary_row, rows), key=lambda row: str(row["name"]))


def show_model(name: str, workspace: Workspace) -> list[dict[str, Any]]:
    """One row per version of a registered model, newest first.

    Raises:
        RegistryError: there is no such model.
    """
    rows = _rows(find_model(workspace, name))
    if not rows:
        raise RegistryError(f"There is no registered model {name!r}; 'automl models list' shows what there is.")
    return rows


def registered_trials(workspace: Workspace) -> set[tuple[str, int]]:
    """(``name/id`` of the experiment, number) of every trial that a version comes from.

    Raises:
        DamagedFileError: a record cannot be read, so that it is unknown.
        WorkspaceError: one was written by a newer automl.
    """
    records = (model.version(number).read() for model in all_models(workspace) for number in model.numbers())
    return {(record.experiment, record.trial) for record in records if record.trial is not None}


def summary_row(versions: list[dict[str, Any]]) -> dict[str, Any]:
    """A model's row, from the rows of its versions, newest first."""
    champion = next((row for row in versions if CHAMPION in row["aliases"]), None)
    return {
        "name": versions[0]["name"],
        "champion": champion["version"] if champion else None,
        "metric": champion["metric"] if champion else None,
        "value": champion["value"] if champion else None,
        "versions": len(versions),
        "latest": versions[0]["version"],
        "created": versions[0]["created"],
    }


def _rows(model: ModelDirectory) -> list[dict[str, Any]]:
    try:
        pointer = model.pointer()
    except DamagedFileError:
        pointer = None  # a request for the champion is told
    champion = None if pointer is None else pointer.version
    return [_row(version, record, champion) for version, record in reversed(list(model.records()))]


def _row(version: VersionDirectory, record: Registration, champion: int | None) -> dict[str, Any]:
    followed = version.followed()
    return {
        "name": record.name,
        "version": str(record.version),
        "aliases": [CHAMPION] if record.version == champion else [],
        "metric": record.metric,
        "value": record.value,
        "experiment": record.experiment,
        "trial": record.trial,
        "framework": record.framework,
        "framework_version": record.framework_version,
        "data": record.data_fingerprint,
        "split_plan": record.split_plan,
        "seed": record.seed,
        "packages": record.packages,
        "tags": {key: str(value) for key, value in record.tags.items()},
        "description": record.description,
        "created": record.created,
        "uri": f"models:/{record.name}/{record.version}",
        "mlflow": None if followed is None else followed.model_dump(exclude={"format_version"}),
    }

"""Registered models of an MLflow store that is named by its URI: those of others, and what MLflow has of ours."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from automl.errors import RegistryError
from automl.redact import one_line
from automl.registry.candidate import CHAMPION, RegisteredModel
from automl.registry.list import summary_row
from automl.tracking import tags
from automl.tracking.database import sqlite_path
from automl.tracking.store import open_client, quiet
from automl.tracking.versions import versions_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["list_models", "load_model", "promote", "show_model"]

Answer = TypeVar("Answer")


def list_models(uri: str) -> list[dict[str, Any]]:
    """One row per registered model, as `automl.registry.list.list_models` gives them.

    Raises:
        RegistryError: the store cannot be read.
    """
    found = _ask(uri, lambda client: [_rows(client, model.name) for model in _all_models(client)])
    return sorted(map(summary_row, filter(None, found or [])), key=lambda row: str(row["name"]))


def show_model(name: str, uri: str) -> list[dict[str, Any]]:
    """One row per version of a registered model, newest first. Unfinished versions are left out.

    Raises:
        RegistryError: there is no such model, or the store cannot be read.
    """
    rows = _ask(uri, lambda client: _rows(client, name))
    if not rows:
        raise RegistryError(f"There is no registered model {name!r}; 'automl models list' shows what there is.")
    return rows


def load_model(reference: str, uri: str) -> Any:
    """The fitted estimator of a registered model. A registry is as trusted as code: loading runs what it holds.

    Args:
        reference: as `automl.registry.load.find_version` takes it; any alias will do.

    Raises:
        RegistryError: there is no such model, or it cannot be loaded.
    """
    client = open_client(uri)
    with quiet():
        import mlflow.artifacts
        import mlflow.sklearn
        from mlflow.exceptions import MlflowException

        try:
            source = _source(client, reference.removeprefix("models:/"))
        except MlflowException as error:
            raise RegistryError(
                f"There is no registered model {reference!r}: {one_line(error)}. "
                "'automl models list' shows what there is."
            ) from error
        with tempfile.TemporaryDirectory(prefix="automl-load-") as scratch:
            local = source.startswith("file:") or "://" not in source
            try:
                folder = mlflow.artifacts.download_artifacts(
                    artifact_uri=source, dst_path=None if local else scratch, tracking_uri=uri
                )
                return mlflow.sklearn.load_model(str(Path(folder)))
            except Exception as error:  # unpickling raises anything
                raise RegistryError(f"Cannot load {reference!r}: {one_line(error)}.") from error


def promote(name: str, version: int, uri: str) -> RegisteredModel:
    """Make a version the champion.

    Raises:
        RegistryError: there is no such version, or automl has begun it and never finished.
    """

    def move(client: MlflowClient) -> None:
        found = next((v for v in versions_of(client, name) if str(v.version) == str(version)), None)
        if found is None:
            raise RegistryError(f"There is no version {version} of {name!r}; 'automl models show {name}' lists them.")
        if not _counts(found):
            raise RegistryError(f"{name} version {version} was never checked, so it cannot be the champion.")
        client.set_registered_model_alias(name, CHAMPION, str(version))

    _ask(uri, move)
    message = f"{name} version {version} is the champion."
    return RegisteredModel(name=name, version=str(version), alias=CHAMPION, promoted=True, message=message)


def _ask(uri: str, question: Callable[[MlflowClient], Answer]) -> Answer | None:
    """The store's answer; None for a sqlite database that has not been made: looking must not make it."""
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        return None
    client = open_client(uri)
    with quiet():
        try:
            return question(client)
        except RegistryError:
            raise
        except Exception as error:  # MLflow, its HTTP client, its database driver
            raise RegistryError(f"Cannot use the registry: {one_line(error)}.") from error


def _source(client: MlflowClient, reference: str) -> str:
    name, slash, version = reference.partition("/")
    if not slash:
        name, _, alias = reference.partition("@")
        version = str(client.get_model_version_by_alias(name, alias or CHAMPION).version)
    return str(client.get_model_version_download_uri(name, version))


def _all_models(client: MlflowClient) -> list[Any]:
    found: list[Any] = []
    token: str | None = None
    while True:
        page = client.search_registered_models(max_results=200, page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return found


def _counts(version: Any) -> bool:
    return version.tags.get(tags.VERIFIED) == "true" or tags.EXPERIMENT not in version.tags


def _rows(client: MlflowClient, name: str) -> list[dict[str, Any]]:
    versions = [version for version in versions_of(client, name) if _counts(version)]
    if not versions:
        return []
    aliases: dict[str, list[str]] = {}
    for alias, version in client.get_registered_model(name).aliases.items():
        aliases.setdefault(str(version), []).append(alias)
    return [_row(version, sorted(aliases.get(str(version.version), []))) for version in versions]


def _row(version: Any, aliases: list[str]) -> dict[str, Any]:
    marks = version.tags
    value, trial = marks.get(tags.VALUE), marks.get(tags.TRIAL)
    return {
        "name": version.name,
        "version": str(version.version),
        "aliases": aliases,
        "metric": marks.get(tags.METRIC),
        "value": float(value) if value else None,
        "experiment": marks.get(tags.EXPERIMENT),
        "trial": int(trial) if trial else None,
        "framework": marks.get("automl.framework"),
        "framework_version": marks.get("automl.framework_version"),
        "data": marks.get("automl.data"),
        "split_plan": marks.get(tags.SPLIT_PLAN),
        "seed": int(marks["automl.seed"]) if marks.get("automl.seed") else None,
        "packages": json.loads(marks.get("automl.packages", "{}")),
        "tags": {key: text for key, text in marks.items() if not key.startswith("automl.")},
        "description": version.description or None,
        "created": datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).isoformat(timespec="seconds"),
        "run_id": version.run_id,
        "uri": f"models:/{version.name}/{version.version}",
    }

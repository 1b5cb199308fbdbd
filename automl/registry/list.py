"""What the registry holds, as plain rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from automl.errors import RegistryError
from automl.registry import tags
from automl.registry.candidate import CHAMPION
from automl.registry.database import sqlite_path
from automl.registry.register import versions_of
from automl.registry.store import describe, open_client, quiet

__all__ = ["list_models", "registered_trials", "show_model"]


def list_models(tracking_uri: str) -> list[dict[str, Any]]:
    """One row per registered model: name, champion's version, metric and value, number of versions, last change.

    Raises:
        RegistryError: the store cannot be read.
    """
    if _absent(tracking_uri):
        return []
    client = open_client(tracking_uri)
    with quiet():
        try:
            names = [model.name for model in _all_models(client)]
            rows = [(name, _rows(client, name)) for name in sorted(names)]
        except Exception as error:  # MLflow, its HTTP client, its database driver
            raise RegistryError(f"Cannot read the registry: {describe(error)}.") from error
    return [_summary(name, versions) for name, versions in rows if versions]


def show_model(name: str, tracking_uri: str) -> list[dict[str, Any]]:
    """One row per version of a registered model, newest first. Unfinished versions are left out.

    Raises:
        RegistryError: there is no such model, or the store cannot be read.
    """
    rows: list[dict[str, Any]] = []
    if not _absent(tracking_uri):
        client = open_client(tracking_uri)
        with quiet():
            try:
                rows = _rows(client, name)
            except Exception as error:  # as above
                raise RegistryError(f"Cannot read the registry: {describe(error)}.") from error
    if not rows:
        raise RegistryError(f"There is no registered model {name!r}; 'automl models list' shows what there is.")
    return rows


def registered_trials(tracking_uri: str) -> set[tuple[str, int]]:
    """(``name/id`` of the experiment, number) of every trial that a version comes from, unfinished versions among them.

    Raises:
        RegistryError: the store cannot be read.
    """
    if _absent(tracking_uri):
        return set()
    client = open_client(tracking_uri)
    with quiet():
        try:
            marks = [v.tags for model in _all_models(client) for v in versions_of(client, model.name)]
        except Exception as error:  # as above
            raise RegistryError(f"Cannot read the registry: {describe(error)}.") from error
    return {(m[tags.EXPERIMENT], int(m[tags.TRIAL])) for m in marks if m.get(tags.EXPERIMENT) and m.get(tags.TRIAL)}


def _absent(uri: str) -> bool:
    """True for a sqlite database that nobody has made: looking must not make it, nor pay for importing MLflow."""
    path = sqlite_path(uri)
    return path is not None and not path.exists()


def _all_models(client: Any) -> list[Any]:
    found: list[Any] = []
    token: str | None = None
    while True:
        page = client.search_registered_models(max_results=200, page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return found


def _rows(client: Any, name: str) -> list[dict[str, Any]]:
    versions = [v for v in versions_of(client, name) if v.tags.get(tags.VERIFIED) == "true" or not _ours(v)]
    if not versions:
        return []
    aliases: dict[str, list[str]] = {}
    for alias, version in client.get_registered_model(name).aliases.items():
        aliases.setdefault(str(version), []).append(alias)
    return [_row(version, sorted(aliases.get(str(version.version), []))) for version in versions]


def _ours(version: Any) -> bool:
    return tags.EXPERIMENT in version.tags


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


def _summary(name: str, versions: list[dict[str, Any]]) -> dict[str, Any]:
    champion = next((row for row in versions if CHAMPION in row["aliases"]), None)
    return {
        "name": name,
        "champion": champion["version"] if champion else None,
        "metric": champion["metric"] if champion else None,
        "value": champion["value"] if champion else None,
        "versions": len(versions),
        "latest": versions[0]["version"],
        "created": versions[0]["created"],
    }

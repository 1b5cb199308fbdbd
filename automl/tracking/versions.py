"""Registered models as MLflow has them: made from the version folders of the workspace, as often as it takes.

A version there is known by its tags. It is made once, and counts when it was loaded back through MLflow and has
repeated the predictions of its record: until then it lacks a tag, and bears no alias.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.engine.workspace.atomic import read_json, write_json
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import AutomlError, RegistryError, WorkspaceError
from automl.learning.ensemble.check import same_predictions
from automl.redact import one_line
from automl.registry.candidate import CHAMPION
from automl.registry.compare import Comparison, compare
from automl.registry.example import read_example
from automl.registry.model_files import load_estimator
from automl.registry.places import ModelDirectory, VersionDirectory, all_models
from automl.registry.record import Followed, Pointer, Registration, write_record
from automl.tracking import tags
from automl.tracking.flavor import predict_saved, save_model
from automl.tracking.store import quiet, redacted
from automl.tracking.turn import sole_follower, sole_mirror

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow import MlflowClient

__all__ = ["ModelVersions", "versions_of"]

log = logging.getLogger("automl")


class ModelVersions:
    """The registered models of a workspace in one store.

    Args:
        client: of the store.
        uri: the store's.
        workspace: whose versions go there.
        run_of: the id of the MLflow run that a version is attached to.
    """

    def __init__(
        self, client: MlflowClient, uri: str, workspace: Workspace, run_of: Callable[[Registration], str]
    ) -> None:
        self._client, self._uri, self._workspace, self._run_of = client, uri, workspace, run_of

    def follow(self, experiment: ExperimentDirectory) -> bool:
        """Bring the models of an experiment to MLflow, with all earlier versions of their names, and their champion.

        Nothing is made twice. What MLflow refuses for good is noted beside the record.

        Returns:
            False if one has to wait for an earlier version, which the mirror of another experiment brings.

        Raises:
            Exception: the store cannot be reached, or its disk is full.
        """
        complete = True
        for model in all_models(self._workspace):
            records = list(model.records())
            mine = [record for _, record in records if record.experiment == experiment.key]
            if mine:
                with sole_follower(model):
                    complete &= self._follow_model(model, records, experiment, store=mine[-1].tracking)
        return complete

    def _follow_model(
        self,
        model: ModelDirectory,
        records: list[tuple[VersionDirectory, Registration]],
        experiment: ExperimentDirectory,
        *,
        store: str | None,
    ) -> bool:
        """Versions in their order, for MLflow to count as the workspace does; as far as no other process is at one."""
        known = [(version, record) for version, record in records if record.tracking == store]
        for version, record in known:
            followed = version.followed()
            if followed is not None and followed.uri == redacted(self._uri):
                continue
            if record.experiment == experiment.key:
                self._follow_version(version, record)
            elif not self._follow_foreign(version, record):
                return False
        self._follow_champion(model, {record.version: (version, record) for version, record in known})
        return True

    def _follow_foreign(self, version: VersionDirectory, record: Registration) -> bool:
        """A version of another experiment; False if that has a mirror at present, which brings it then."""
        name, _, identifier = record.experiment.partition("/")
        other = ExperimentDirectory(self._workspace.root / name / identifier)
        if not other.path.is_dir():  # deleted since
            self._follow_version(version, record)
            return True
        try:
            with sole_mirror(other, patience=0.0):
                self._follow_version(version, record)
        except WorkspaceError as error:
            log.debug("%s is not in MLflow yet: %s", record.title, error)
            return False
        return True

    # A version

    def _follow_version(self, version: VersionDirectory, record: Registration) -> None:
        with quiet():
            run_id = self._run_of(record)
            try:
                number = self._find(record) or self._create(version, record, run_id)
                self._verify(number, version, record)
                odd = f"it is version {number} there" if number != str(record.version) else ""
                followed = Followed(uri=redacted(self._uri), version=number, run_id=run_id, problem=odd)
            except _RefusedError as error:
                followed = Followed(uri=redacted(self._uri), problem=str(error))
                log.warning("MLflow will not get %s: %s", record.title, error)
        write_record(version.note, followed)

    def _find(self, record: Registration) -> str | None:
        wanted = {tags.MODEL: record.model, tags.EXPERIMENT: record.experiment}
        found = (v for v in versions_of(self._client, record.name) if wanted.items() <= v.tags.items())
        return next((str(version.version) for version in found), None)

    def _create(self, version: VersionDirectory, record: Registration, run_id: str) -> str:
        run = self._client.get_run(run_id)
        folder = version.path / f".model.{record.version}.tmp"
        # Named by what it is: an attempt that was killed is written over, and no other version is.
        place = f"model-{sha256(f'{record.name}/{record.model}'.encode()).hexdigest()[:12]}"
        try:
            self._save(folder, version, record)
            self._client.log_artifacts(run_id, str(folder), place)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        _ensure_name(self._client, record.name)
        made = self._client.create_model_version(
            record.name,
            f"{run.info.artifact_uri}/{place}",
            run_id,
            tags=tags.version_tags(record),
            description=record.description,
        )
        return str(made.version)

    def _save(self, folder: Path, version: VersionDirectory, record: Registration) -> None:
        example = read_example(version.path / record.example)
        try:
            estimator = load_estimator(version.models)
            predictions = estimator.predict(example)
        except Exception as error:  # loading and predicting run any code
            raise _RefusedError(f"it cannot be loaded: {one_line(error)}") from error
        if record.predictions is not None and not same_predictions(_like(predictions, record), predictions):
            raise _RefusedError("it no longer predicts what its record says")
        try:
            save_model(estimator, folder, example=example, predictions=predictions, packages=record.packages)
        except RegistryError as error:
            if isinstance(error.__cause__, OSError):
                raise
            raise _RefusedError(str(error)) from error

    def _verify(self, number: str, version: VersionDirectory, record: Registration) -> None:
        import mlflow.artifacts

        if self._client.get_model_version(record.name, number).tags.get(tags.VERIFIED) == "true":
            return
        source = self._client.get_model_version_download_uri(record.name, number)
        scratch = version.path / f".check.{record.version}.tmp"
        try:
            # Local files are used where they are, remote ones come into the scratch folder.
            local = source.startswith("file:") or "://" not in source
            if not local:
                scratch.mkdir(exist_ok=True)
            folder = mlflow.artifacts.download_artifacts(
                artifact_uri=source, dst_path=None if local else str(scratch), tracking_uri=self._uri
            )
            self._compare(Path(folder), version, record)
        except _RefusedError:
            with suppress(Exception):  # without the tag it does not count in any case
                self._client.delete_model_version(record.name, number)
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        self._client.set_model_version_tag(record.name, number, tags.VERIFIED, "true")

    def _compare(self, folder: Path, version: VersionDirectory, record: Registration) -> None:
        example = read_example(version.path / record.example)
        try:
            loaded = predict_saved(folder, example)
            ours = _expected(version, record, example, loaded)
        except Exception as error:  # whatever the model's code raises
            raise _RefusedError(f"it does not load from MLflow: {one_line(error)}") from error
        if loaded.ndim != 1 or not same_predictions(ours, loaded):
            raise _RefusedError("loaded back from MLflow it predicts something else")

    # The champion

    def _follow_champion(self, model: ModelDirectory, known: dict[int, tuple[VersionDirectory, Registration]]) -> None:
        """Move the alias as the workspace's pointer has moved, unless someone else's version there is better."""
        pointer = model.pointer()
        told = _Told(model, redacted(self._uri))
        if pointer is None or pointer.version not in known or told.since == pointer.since:
            return
        version, record = known[pointer.version]
        followed = version.followed()
        if followed is None:
            return
        if followed.version is not None:
            with quiet():
                self._move_alias(record, followed.version, pointer, [record for _, record in known.values()])
        told.write(pointer.since)

    def _move_alias(self, record: Registration, number: str, pointer: Pointer, known: list[Registration]) -> None:
        holder = self._client.get_registered_model(record.name).aliases.get(CHAMPION)
        if holder is not None and str(holder) == number:
            return
        verdict = Comparison(True, "")
        if holder is not None and not pointer.by_hand:
            theirs = self._client.get_model_version(record.name, str(holder)).tags
            origin = (theirs.get(tags.MODEL), theirs.get(tags.EXPERIMENT))
            if origin not in {(other.model, other.experiment) for other in known}:
                verdict = compare(record.score, str(holder), tags.score_of(theirs))
        if verdict.better:
            self._client.set_registered_model_alias(record.name, CHAMPION, number)
        else:
            log.warning("the champion of %s in MLflow stays version %s: %s", record.name, holder, verdict.reason)


class _RefusedError(AutomlError):
    """MLflow will never have this model: another attempt would not change that. The message is a clause."""


class _Told:
    """The champion that the stores have been told of: ``mlflow.json`` beside the pointer."""

    def __init__(self, model: ModelDirectory, uri: str) -> None:
        self._path, self._uri = model.path / "mlflow.json", uri
        try:
            self._told = dict(read_json(self._path).get("told") or {}) if self._path.exists() else {}
        except (WorkspaceError, TypeError, ValueError):
            self._told = {}  # damaged: telling again does no harm

    @property
    def since(self) -> object:
        return self._told.get(self._uri)

    def write(self, since: str) -> None:
        write_json(self._path, {"told": {**self._told, self._uri: since}})


def versions_of(client: MlflowClient, name: str) -> list[Any]:
    """All versions of a registered model in MLflow, newest first, the unfinished ones too; empty if there is none."""
    found: list[Any] = []
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{name}'", max_results=200, page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return sorted(found, key=lambda version: int(version.version), reverse=True)


def _ensure_name(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(name)
    except MlflowException as missing:
        if missing.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was faster
                raise


def _expected(
    version: VersionDirectory, record: Registration, example: pd.DataFrame | np.ndarray, loaded: np.ndarray
) -> np.ndarray:
    """Return what the model is to predict: its record says so, unless there was no time to look then."""
    if record.predictions is None:
        expected: np.ndarray = load_estimator(version.models).predict(example)
        return expected
    return _like(loaded, record)


def _like(values: Any, record: Registration) -> np.ndarray:
    """The record's predictions as an array that can be compared with `values`: labels as texts, numbers as such."""
    import numpy as np

    kind = np.asarray(values).dtype.kind
    return np.asarray(record.predictions, dtype=float if kind == "f" else object)

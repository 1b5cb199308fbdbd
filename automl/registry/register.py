"""Give a model a name and a version, and the champion's alias if it has earned it."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.errors import RegistryError
from automl.registry import tags
from automl.registry.candidate import CHAMPION, Candidate, RegisteredModel, read_example
from automl.registry.compare import Verdict, compare
from automl.registry.model_files import hash_model, load_estimator, predict_saved, same_predictions, save_model
from automl.registry.store import describe, exclusive, experiment_of, open_client, quiet

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow import MlflowClient

__all__ = ["promote", "register", "versions_of"]

_ABANDONED = 3600.0  # seconds after which an unverified version on a server, which has no lock, belongs to nobody


def register(candidate: Candidate, tracking_uri: str, *, run_id: str | None = None) -> RegisteredModel:
    """Register a model: save it, load it back, check it on rows, and only then let the version count.

    A kill at any instant leaves at most a version without the tag ``automl.verified``: it never bears an alias, is
    not listed, and is removed by the next registration of the name. The same files are never registered twice: the
    version that exists is given back.

    Args:
        candidate: the model and where it comes from.
        tracking_uri: the MLflow store of runs and models.
        run_id: the run to attach the model to; by default the one of its trial, which is created if it is missing.

    Raises:
        RegistryError: the store cannot be used, or the model that was loaded back predicts something else.
    """
    clock = _Clock()
    client = open_client(tracking_uri)
    clock("open")
    try:
        with quiet(), exclusive(tracking_uri) as alone:
            _remove_unverified(client, candidate, alone)
            model_hash = _hash(candidate)
            clock("hash")
            version = _find(client, candidate, model_hash) or _create(
                client, candidate, model_hash, tracking_uri, run_id, clock
            )
            outcome = _settle_alias(client, candidate, version)
            clock("alias")
            return outcome.model_copy(update={"seconds": clock.seconds})
    except RegistryError:
        raise
    except Exception as error:  # MLflow, its HTTP client, its database driver, the file system
        raise RegistryError(f"Cannot register {candidate.name}: {describe(error)}.") from error


def promote(name: str, version: str | int, tracking_uri: str) -> RegisteredModel:
    """Make a version the champion.

    Raises:
        RegistryError: there is no such version, or automl has begun it and never finished.
    """
    client = open_client(tracking_uri)
    with quiet():
        wanted = str(version)
        found = next((v for v in versions_of(client, name) if str(v.version) == wanted), None)
        if found is None:
            raise RegistryError(f"There is no version {wanted} of {name!r}; 'automl models show {name}' lists them.")
        if not _counts(found):
            raise RegistryError(f"{name} version {wanted} was never checked, so it cannot be the champion.")
        client.set_registered_model_alias(name, CHAMPION, wanted)
    message = f"{name} version {wanted} is the champion."
    return RegisteredModel(name=name, version=wanted, alias=CHAMPION, promoted=True, message=message)


def versions_of(client: MlflowClient, name: str) -> list[Any]:
    """All versions of a registered model, newest first, the unfinished ones too; empty if there is no such model."""
    found: list[Any] = []
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{name}'", max_results=200, page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return sorted(found, key=lambda version: int(version.version), reverse=True)


def _counts(version: Any) -> bool:
    return version.tags.get(tags.VERIFIED) == "true" or tags.EXPERIMENT not in version.tags


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


def _remove_unverified(client: MlflowClient, candidate: Candidate, alone: bool) -> None:
    """Remove versions that a killed process has begun. A user's own versions are left alone."""
    for version in versions_of(client, candidate.name):
        if _counts(version):
            continue
        mine = version.tags[tags.EXPERIMENT] == tags.key_of(candidate.experiment)
        if alone or mine or time.time() - version.creation_timestamp / 1000 > _ABANDONED:
            client.delete_model_version(candidate.name, version.version)


def _hash(candidate: Candidate) -> str:
    path = Path(candidate.model)
    if not path.exists():
        raise RegistryError(f"Cannot register {candidate.name}: the model {path} is not there.")
    return hash_model(path)


def _find(client: MlflowClient, candidate: Candidate, model_hash: str) -> str | None:
    """The version that holds this very model already: a resumed experiment registers it once more."""
    key = tags.key_of(candidate.experiment)
    wanted = {tags.MODEL: model_hash, tags.EXPERIMENT: key, tags.VERIFIED: "true"}
    found = (v for v in versions_of(client, candidate.name) if wanted.items() <= v.tags.items())
    return next((str(version.version) for version in found), None)


def _create(
    client: MlflowClient, candidate: Candidate, model_hash: str, uri: str, run_id: str | None, clock: _Clock
) -> str:
    example = read_example(Path(candidate.example))
    estimator = load_estimator(Path(candidate.model))
    predictions = estimator.predict(example)
    clock("load")
    if candidate.expected is not None and not same_predictions(_array(candidate.expected), predictions):
        raise RegistryError(f"{candidate.model} does not predict what the model in memory predicted: not registered.")
    run = client.get_run(run_id or _source_run(client, candidate, uri))
    with tempfile.TemporaryDirectory(prefix="automl-model-") as scratch:
        folder = Path(scratch) / "model"
        save_model(
            estimator,
            folder,
            example=example,
            predictions=predictions,
            packages=candidate.packages,
            modules=candidate.modules,
        )
        clock("save")
        # Named by what it is: an attempt that was killed is written over, and no other version is.
        place = f"model-{sha256(f'{candidate.name}/{model_hash}'.encode()).hexdigest()[:12]}"
        client.log_artifacts(run.info.run_id, str(folder), place)
        clock("upload")
    _ensure_name(client, candidate.name)
    version = client.create_model_version(
        candidate.name,
        f"{run.info.artifact_uri}/{place}",
        run.info.run_id,
        tags=tags.version_tags(candidate, model_hash),
        description=candidate.description,
    ).version
    try:
        _verify(client, candidate.name, str(version), uri, example, predictions)
    except BaseException:
        with suppress(Exception):  # unverified already: it is cleaned up sooner or later
            client.delete_model_version(candidate.name, version)
        raise
    clock("verify")
    return str(version)


def _verify(
    client: MlflowClient, name: str, version: str, uri: str, example: pd.DataFrame | np.ndarray, predictions: Any
) -> None:
    import mlflow.artifacts

    source = client.get_model_version_download_uri(name, version)
    with tempfile.TemporaryDirectory(prefix="automl-check-") as scratch:
        # Local files are used where they lie, remote ones come into the scratch directory.
        local = source.startswith("file:") or "://" not in source
        folder = mlflow.artifacts.download_artifacts(
            artifact_uri=source, dst_path=None if local else scratch, tracking_uri=uri
        )
        try:
            loaded = predict_saved(Path(folder), example)
        except Exception as error:  # whatever the model's code raises
            raise RegistryError(f"{name} does not load from the registry: {describe(error)}.") from error
    if not same_predictions(predictions, loaded):
        raise RegistryError(f"{name}, loaded back from the registry, predicts something else: not registered.")
    client.set_model_version_tag(name, version, tags.VERIFIED, "true")


def _source_run(client: MlflowClient, candidate: Candidate, uri: str) -> str:
    """The run of the candidate's trial. One without it (tracking was off, or lags) is given a bare run."""
    experiment_id = experiment_of(client, candidate.experiment, uri)
    key = tags.key_of(candidate.experiment)
    marks = {tags.EXPERIMENT: key, tags.KIND: "experiment" if candidate.trial is None else "trial"}
    if candidate.trial is not None:
        marks[tags.TRIAL] = str(candidate.trial)
    query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in marks.items())
    if runs := client.search_runs([experiment_id], query, max_results=1):
        return str(runs[0].info.run_id)
    run_name = candidate.experiment.id if candidate.trial is None else f"trial {candidate.trial:05d}"
    return str(client.create_run(experiment_id, run_name=run_name, tags=marks).info.run_id)


def _settle_alias(client: MlflowClient, candidate: Candidate, version: str) -> RegisteredModel:
    holder = client.get_registered_model(candidate.name).aliases.get(CHAMPION)
    title = f"{candidate.name} version {version}"
    if holder is not None and str(holder) == version:
        message = f"{title} is the champion."
        return RegisteredModel(name=candidate.name, version=version, alias=CHAMPION, message=message)
    verdict = _verdict(client, candidate, holder)
    if verdict.better:
        client.set_registered_model_alias(candidate.name, CHAMPION, version)
        message = f"{title} is the champion: {verdict.reason}."
        return RegisteredModel(name=candidate.name, version=version, alias=CHAMPION, promoted=True, message=message)
    message = (
        f"Registered {title}, not promoted: {verdict.reason}. "
        f"To promote it: automl models promote {candidate.name} {version}"
    )
    return RegisteredModel(name=candidate.name, version=version, message=message)


def _verdict(client: MlflowClient, candidate: Candidate, holder: Any) -> Verdict:
    if candidate.promote == "never":
        return Verdict(False, "registry.promote is 'never'")
    if candidate.promote == "always":
        return Verdict(True, "registry.promote is 'always'")
    if holder is None:
        return Verdict(True, "there was none")
    champion = client.get_model_version(candidate.name, str(holder))
    return compare(candidate, str(holder), champion.tags)


def _array(values: Any) -> Any:
    import numpy as np

    return np.asarray(values)


class _Clock:
    """What each step took, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def __call__(self, step: str) -> None:
        now = time.monotonic()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now

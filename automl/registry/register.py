"""Give a model a name and a version, and make it the champion if it has earned that.

A version is a folder that is made under another name and renamed when it is whole: a kill at any moment leaves the
version, or nothing. The same model of the same experiment gets the version that it has. Nothing here needs MLflow.
"""

from __future__ import annotations

import os
import shutil
import threading
from datetime import UTC, datetime

from automl.engine.workspace.layout import Workspace
from automl.errors import AutomlError, RegistryError, WorkspaceError
from automl.registry.candidate import CHAMPION, Candidate, Origin, RegisteredModel
from automl.registry.compare import Comparison, compare
from automl.registry.example import read_example
from automl.registry.model_files import hash_model, put_models
from automl.registry.places import ModelDirectory, VersionDirectory, find_model
from automl.registry.record import Pointer, Registration, write_record
from automl.registry.signature import signature_of

__all__ = ["promote", "register"]


def register(candidate: Candidate, *, patience: float | None = None) -> RegisteredModel:
    """Register a model in the workspace of its experiment.

    Args:
        candidate: the model and where it comes from.
        patience: seconds for loading models that no worker has checked; None: as long as it takes. If they are too
            few, the version says that its predictions are unknown.

    Raises:
        RegistryError: the model predicts something else when it is loaded back, or cannot be loaded; or the disk is
            full.
    """
    model = find_model(candidate.experiment.workspace, candidate.name)
    try:
        digest = hash_model(candidate.models)
        predictions = _predictions(candidate, patience)
        with model.locked():
            version = _find(model, candidate, digest) or _add(model, candidate, digest, predictions)
            try:
                return _promote_if_better(model, version.number, candidate)
            except WorkspaceError as error:  # it is registered, whatever is wrong with the champion
                return _not_promoted(candidate.name, version.number, str(error).rstrip("."))
    except RegistryError:
        raise
    except AutomlError as error:
        raise RegistryError(f"Cannot register {candidate.name}: {error}") from error
    except OSError as error:
        raise RegistryError(f"Cannot register {candidate.name}: {error.strerror or error}.") from error


def promote(name: str, version: int, workspace: Workspace) -> RegisteredModel:
    """Make a version the champion.

    Raises:
        RegistryError: there is no such version.
        DamagedFileError: it cannot be read.
    """
    model = find_model(workspace, name)
    if version not in model.numbers():
        raise RegistryError(f"There is no version {version} of {name!r}; 'automl models show {name}' lists them.")
    model.version(version).read()
    with model.locked():
        _point(model, version, by_hand=True)
    message = f"{name} version {version} is the champion."
    return RegisteredModel(name=name, version=str(version), alias=CHAMPION, promoted=True, message=message)


def _predictions(candidate: Candidate, patience: float | None) -> tuple[bool | int | float | str, ...] | None:
    """Return what the reloaded models predict for the example; from the trial's own check, if its worker made one."""
    from automl.learning.ensemble.check import Check, check_models, read_check

    check = read_check(candidate.check)
    if check is None:
        made: list[Check] = []
        example = read_example(candidate.example)
        thread = threading.Thread(
            target=lambda: made.append(check_models(candidate.models, example)), name="automl-check", daemon=True
        )
        thread.start()
        thread.join(patience)
        check = made[0] if made else None
    if check is not None and check.problem:
        raise RegistryError(f"The model is not registered: {check.problem}.")
    return None if check is None else check.predictions


def _find(model: ModelDirectory, candidate: Candidate, digest: str) -> VersionDirectory | None:
    """The version that holds this very model already: a resumed experiment registers it once more."""
    wanted = (digest, candidate.experiment.key)
    return next((version for version, record in model.records() if (record.model, record.experiment) == wanted), None)


def _add(
    model: ModelDirectory, candidate: Candidate, digest: str, predictions: tuple[bool | int | float | str, ...] | None
) -> VersionDirectory:
    number = max(model.numbers(), default=0) + 1
    scratch = model.versions / f".{number}.{os.getpid()}.tmp"
    try:
        scratch.mkdir()
        needs = put_models(candidate.models, scratch / "models", candidate.modules)
        example = scratch / candidate.example.name
        shutil.copyfile(candidate.example, example)
        record = Registration(
            **{name: getattr(candidate, name) for name in Origin.model_fields},
            version=number,
            experiment=candidate.experiment.key,
            model=digest,
            example=example.name,
            predictions=predictions,
            signature=signature_of(read_example(example), predictions),
            needs=needs,
            created=_now(),
        )
        write_record(VersionDirectory(scratch).record, record)
        version = model.version(number)
        os.rename(scratch, version.path)
        return version
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _promote_if_better(model: ModelDirectory, number: int, candidate: Candidate) -> RegisteredModel:
    name, title = candidate.name, f"{candidate.name} version {number}"
    holder = model.pointer()
    if holder is not None and holder.version == number:
        message = f"{title} is the champion."
        return RegisteredModel(name=name, version=str(number), alias=CHAMPION, message=message)
    verdict = _verdict(model, candidate, holder)
    if verdict.better:
        _point(model, number, by_hand=False)
        message = f"{title} is the champion: {verdict.reason}."
        return RegisteredModel(name=name, version=str(number), alias=CHAMPION, promoted=True, message=message)
    return _not_promoted(name, number, verdict.reason)


def _not_promoted(name: str, number: int, reason: str) -> RegisteredModel:
    message = (
        f"Registered {name} version {number}, not promoted: {reason}. "
        f"To promote it: automl models promote {_quoted(name)} {number}"
    )
    return RegisteredModel(name=name, version=str(number), message=message)


def _verdict(model: ModelDirectory, candidate: Candidate, holder: Pointer | None) -> Comparison:
    if candidate.promote == "never":
        return Comparison(False, "registry.promote is 'never'")
    if candidate.promote == "always":
        return Comparison(True, "registry.promote is 'always'")
    if holder is None:
        return Comparison(True, "there was none")
    champion = model.version(holder.version)
    if not champion.path.exists():
        return Comparison(True, f"version {holder.version} is gone")
    return compare(candidate.score, str(holder.version), champion.read().score)


def _point(model: ModelDirectory, number: int, *, by_hand: bool) -> None:
    write_record(model.champion, Pointer(version=number, by_hand=by_hand, since=_now()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name

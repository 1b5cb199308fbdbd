"""From a finished trial to a candidate for the registry."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from automl.config.addresses import check_recorded_addresses
from automl.config.reader import read_config
from automl.config.schema import ExperimentConfig
from automl.config.tasks import problem_class
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.records import read_result
from automl.engine.workspace.atomic import read_json, write_json
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import ConfigError, RegistryError, WorkspaceError
from automl.experiment.results.summary import Summary
from automl.redact import redact_text
from automl.registry.candidate import Candidate, RegisteredModel
from automl.registry.load import find_version
from automl.registry.names import check_name
from automl.registry.options import RegistryOptions
from automl.registry.own_modules import is_own
from automl.registry.register import promote as promote_version
from automl.registry.register import register
from automl.tracking.follower import start_follower
from automl.tracking.owed import owe
from automl.tracking.store import resolve_uri

__all__ = [
    "candidate_for",
    "note_registered",
    "owe_mlflow",
    "promote",
    "register_trial",
    "registered_before",
    "tracking_uri",
]

log = logging.getLogger("automl")


def tracking_uri(config: ExperimentConfig, directory: ExperimentDirectory) -> str:
    """The MLflow store of an experiment: the one it names, else the workspace's own.

    Raises:
        TrustError: it names one on a host that it was not allowed to use.
    """
    check_recorded_addresses(config, directory)
    return resolve_uri(None if config.tracking is None else config.tracking.uri, directory.workspace)


def candidate_for(
    config: ExperimentConfig, directory: ExperimentDirectory, summary: Summary, result: TrialResult
) -> Candidate | None:
    """Collect what the registry has to know about a trial's model; None where its task leaves no model."""
    options = config.registry or RegistryOptions()
    artifact = problem_class(config.task).artifact(config, directory, result)
    if artifact is None:
        return None
    return Candidate(
        name=options.name or summary.experiment,
        directory=directory.path,
        trial=result.number,
        models=artifact.models,
        check=artifact.check,
        example=artifact.example,
        task=summary.task,
        metric=summary.metric,
        maximize=summary.maximize,
        value=result.value,
        extent=result.extent,
        share=result.share,
        data_fingerprint=summary.fingerprint,
        split_plan=summary.split_plan,
        seed=config.seed,
        framework=artifact.framework,
        packages=dict(artifact.packages),
        modules=tuple(filter(is_own, artifact.modules)),
        promote=options.promote,
        tags=options.tags,
        description=options.description,
        tracking=redact_text(config.tracking.uri) if config.tracking is not None and config.tracking.uri else None,
    )


def owe_mlflow(config: ExperimentConfig, directory: ExperimentDirectory) -> None:
    """Note that MLflow lacks something of the experiment, or will; the process that brings it all removes the note.

    Raises:
        WorkspaceError: the disk is full.
    """
    tracking = config.tracking
    owe(directory, None if tracking is None else tracking.uri, trials=tracking is not None)


def note_registered(directory: ExperimentDirectory, number: int, registered: RegisteredModel) -> None:
    """Mark a trial to keep its models. The registry has its own copy: a full disk loses only the mark."""
    with suppress(WorkspaceError):
        write_json(directory.trial(number).registered, {"name": registered.name, "version": registered.version})


def registered_before(
    directory: ExperimentDirectory, number: int, options: RegistryOptions | None
) -> RegisteredModel | None:
    """Return the version that an earlier session, or a user by hand, has made of a trial's model.

    Args:
        options: one under another name than they say does not count; None: any does.
    """
    try:
        mark = read_json(directory.trial(number).registered)
        name, version = str(mark["name"]), str(mark["version"])
    except (KeyError, WorkspaceError):  # no mark, or a damaged one
        return None
    if options is not None and name != (options.name or directory.name):
        return None
    return RegisteredModel(name=name, version=version, message=f"{name} version {version} was registered before.")


def register_trial(
    directory: ExperimentDirectory,
    summary: Summary,
    number: int,
    *,
    name: str | None = None,
    description: str | None = None,
    refit: Callable[[], None] | None = None,
) -> RegisteredModel:
    """Register the model of a completed trial. MLflow is told in the background.

    Args:
        refit: makes the models of the trial again, if they were deleted.

    Raises:
        WorkspaceError: there is no such trial, or it did not complete with full work.
        RegistryError: it cannot be registered: it does not load, say, or the disk is full.
        ConfigError: `name` cannot name a registered model.
    """
    if name is not None:
        _check(name)
    result = read_result(directory.known_trial(number))
    is_winner = (
        result is not None and result.is_partial and summary.winner is not None and number in summary.winner.trials
    )
    if result is None or not (result.is_whole or is_winner):
        raise WorkspaceError(
            f"Trial {number} of {directory.path} {_how_it_ended(result)}, and only completed trials of full work can "
            "be registered."
        )
    if refit is not None and not directory.trial(number).has_models:
        refit()
    config, _ = read_config(directory.config)
    changes: dict[str, Any] = {"name": name, "description": description}
    candidate = candidate_for(config, directory, summary, result)
    if candidate is None:
        raise RegistryError(f"Trial {number} of {directory.path} has left no model: the task {config.task} makes none.")
    candidate = candidate.model_copy(update={key: value for key, value in changes.items() if value is not None})
    registered = register(candidate)
    note_registered(directory, number, registered)
    _tell_mlflow(config, directory)
    return registered


def promote(name: str, version: int, workspace: Workspace) -> RegisteredModel:
    """Make a version the champion, and let MLflow know in the background.

    Raises:
        RegistryError: there is no such version.
        DamagedFileError: its record is damaged.
    """
    promoted = promote_version(name, version, workspace)
    origin = workspace.root / find_version(f"{name}/{version}", workspace).read().experiment
    directory = ExperimentDirectory(origin)
    if directory.config.exists():
        _tell_mlflow(read_config(directory.config)[0], directory)
    return promoted


def _tell_mlflow(config: ExperimentConfig, directory: ExperimentDirectory) -> None:
    """Let MLflow know in the background. Where it cannot be reached, the workspace has the model nevertheless."""
    try:
        uri = tracking_uri(config, directory)
        owe_mlflow(config, directory)
        start_follower(directory.workspace, uri)
    except WorkspaceError as error:
        log.warning("%s", error)


def _check(name: str) -> None:
    try:
        check_name(name)
    except ValueError as error:
        raise ConfigError(str(error), key="name") from None


def _how_it_ended(result: TrialResult | None) -> str:
    if result is None:
        return "has no record"
    if result.status is Status.COMPLETED and result.fidelity != 1:
        return f"did {result.fidelity:.3g} of the full work"
    return f"ended {result.status.value}" + (" without a score" if result.status is Status.COMPLETED else "")

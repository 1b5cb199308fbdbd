"""The models of a trial that no longer has any, made again from its record."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from automl.config.schema import ExperimentConfig
from automl.engine.search.problem import Problem
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError
from automl.experiment.models.rerun import close, problem_of, recorded_trial, rerun

__all__ = ["refit", "refit_trial"]


def refit_trial(
    directory: ExperimentDirectory,
    number: int,
    *,
    data: Any = None,
    metrics: Mapping[str, Callable[..., float]] | None = None,
    trust: bool = False,
) -> None:
    """Fit a completed trial again, and put its models back where they were.

    Args:
        directory: the experiment's.
        number: the trial's.
        data: the data again, if its source is gone; by default the saved copy, or the source.
        metrics: functions that the experiment began with, by name: they are not kept on disk.
        trust: the file may name any class, and set any argument of it.

    Raises:
        WorkspaceError: it cannot be repeated, or reached another score: then it is not the model of the record.
        DataError: the data has changed, or cannot be read.
        ConfigError: the experiment needs trust or functions that were not given.
    """
    recorded = recorded_trial(directory, number)
    problem, config = problem_of(directory, data=data, metrics=metrics, trust=trust)
    refit(problem, config, directory, recorded)


def refit(problem: Problem, config: ExperimentConfig, directory: ExperimentDirectory, recorded: TrialResult) -> None:
    """Do the same for a problem that is already prepared.

    Raises:
        WorkspaceError: as `refit_trial` does.
    """
    trial = directory.trial(recorded.number)
    scratch = trial.path / f".refit.{os.getpid()}.tmp"  # swept if this is killed
    try:
        scratch.mkdir()
        place = ExperimentDirectory(scratch)
        again = rerun(problem, config, directory, recorded, place, keep_models=True)
        _check(again, recorded, problem.objective.name)
        _put(place.trial(recorded.number).models, trial.models)
        trial.check.unlink(missing_ok=True)  # it was made of other files
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check(again: TrialResult, recorded: TrialResult, metric: str) -> None:
    gone = f"The models of trial {recorded.number} were deleted"
    if again.status is not Status.COMPLETED:
        why = "" if again.failure is None else f" ({again.failure.kind}: {again.failure.message.rstrip('.')})"
        raise WorkspaceError(f"{gone}, and fitting it again ended {again.status.value}{why}.")
    if not close(recorded.value, again.value):
        raise WorkspaceError(
            f"{gone}, and fitting it again gave {metric} = {again.value!r} where its record says {recorded.value!r}, "
            f"so it is a different model; 'automl replay --trial {recorded.number}' says which versions have changed."
        )


def _put(made: Path, wanted: Path) -> None:
    """Move a folder to where it belongs, at once, though it may come from another disk."""
    half = wanted.with_name(f".{wanted.name}.{os.getpid()}.tmp")
    try:
        shutil.copytree(made, half, dirs_exist_ok=True)
        shutil.rmtree(wanted, ignore_errors=True)
        os.replace(half, wanted)
    except OSError as error:
        shutil.rmtree(half, ignore_errors=True)
        raise WorkspaceError(f"Cannot write {wanted}: {error.strerror or error}.") from error

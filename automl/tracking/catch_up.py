"""Everything that MLflow lacks of an experiment, brought there at once: its models, its trials, its end."""

from __future__ import annotations

from collections.abc import Callable

from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError
from automl.tracking.ending import read_ending
from automl.tracking.owed import Mark
from automl.tracking.runs import ExperimentRuns
from automl.tracking.turn import sole_mirror
from automl.tracking.versions import ModelVersions

__all__ = ["catch_up", "follow_models", "is_final", "rebuild"]


def rebuild(directory: ExperimentDirectory, uri: str, *, trials: bool = True) -> int:
    """Mirror all that MLflow lacks of an experiment, in this process. Nothing is written twice.

    Args:
        directory: the experiment; no other process may be mirroring it.
        uri: the MLflow store.
        trials: its trials too, not only its registered models and the trials that these come from.

    Returns:
        Number of trials that are in MLflow afterwards.

    Raises:
        WorkspaceError: the experiment has a mirror at present.
        RegistryError: the store cannot be opened.
    """
    with sole_mirror(directory, patience=0.0):
        mark = Mark(directory)
        runs = ExperimentRuns(directory, uri)
        if catch_up(directory, runs, trials=trials):
            mark.clear()
        return runs.mirrored


def catch_up(
    directory: ExperimentDirectory,
    runs: ExperimentRuns,
    *,
    trials: bool,
    mirror: Callable[[int], bool] | None = None,
) -> bool:
    """Bring models first, then trials, then how it ended: in the order in which they will be missed.

    Args:
        mirror: writes a trial and says whether to continue; by default `runs.mirror`, to the end.

    Returns:
        True if nothing is missing any longer.

    Raises:
        Exception: the store cannot be reached.
    """
    has_models = follow_models(directory, runs)
    if trials:
        for number in runs.missing():
            if mirror is None:
                runs.mirror(number)
            elif not mirror(number):
                return False
        if (ending := read_ending(directory)) is not None:
            runs.end(ending)
    runs.checkpoint()
    return has_models


def follow_models(directory: ExperimentDirectory, runs: ExperimentRuns) -> bool:
    """Bring the registered models of an experiment to MLflow. False if one has to wait for another experiment's.

    Raises:
        Exception: the store cannot be reached.
    """
    return ModelVersions(runs.client, runs.uri, directory.workspace, runs.run_behind).follow(directory)


def is_final(error: Exception) -> bool:
    """True for what another attempt would not change: one odd trial does not hold up all others."""
    code = getattr(error, "error_code", None)  # of an MlflowException
    return isinstance(error, WorkspaceError) or code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")

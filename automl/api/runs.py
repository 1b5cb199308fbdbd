"""The experiments in the workspace: what ran, what is running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.engine.workspace.atomic import open_file
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import WorkspaceError
from automl.redact import redact_text

if TYPE_CHECKING:
    from automl.experiment.models.replay import Replay

__all__ = [
    "cancel_run",
    "extend_run",
    "gc",
    "list_runs",
    "mirror_run",
    "read_logs",
    "replay",
    "show_leaderboard",
    "show_run",
]


def list_runs(workspace: str | Path | None = None) -> list[dict[str, Any]]:
    """One row per experiment: experiment, id, status, trials, metric, best, seconds, model.

    Example:
        >>> from automl import api
        >>> api.list_runs()[0]["experiment"]
        'iris'
    """
    from automl.experiment.results.describe import describe_run
    from automl.tracking.follower import nudge

    place = Workspace.find(workspace)
    nudge(place)
    return [describe_run(directory) for directory in place.experiments()]


def show_run(
    experiment: str | Path, *, trial: int | None = None, workspace: str | Path | None = None
) -> dict[str, Any]:
    """Everything about an experiment, its leaderboard included, or about one of its trials, as plain data.

    Raises:
        WorkspaceError: there is no such experiment, or no such trial, or the trial has not ended.

    Example:
        >>> from automl import api
        >>> api.show_run("iris", trial=0)["status"]
        'COMPLETED'
    """
    from automl.experiment.results.describe import describe_experiment, describe_trial

    directory = Workspace.find(workspace).experiment(experiment)
    return describe_experiment(directory) if trial is None else describe_trial(directory, trial)


def show_leaderboard(
    experiment: str | Path, *, front: bool = False, workspace: str | Path | None = None
) -> dict[str, Any]:
    """An experiment's trials from best to worst, while it runs too.

    Args:
        front: only those that no other beats in score, latency and size alike.

    Returns:
        ``experiment``, ``id``, ``metric``, ``goal``, ``winner`` (as in result.json; None while there is none),
        and ``leaderboard``: a list of rows, see `Result.leaderboard`.

    Example:
        >>> from automl import api
        >>> board = api.show_leaderboard("iris")
        >>> board["metric"], board["winner"]["title"], board["leaderboard"][0]["algorithm"]
        ('log_loss', 'trial 0', 'lda')
    """
    from automl.experiment.results.describe import describe_leaderboard

    return describe_leaderboard(Workspace.find(workspace).experiment(experiment), front=front)


def read_logs(
    experiment: str | Path, *, trial: int | None = None, workspace: str | Path | None = None
) -> Iterator[str]:
    """Lines of an experiment's log, or of what one of its trials printed.

    Raises:
        WorkspaceError: there is no such log.

    Example:
        >>> from automl import api
        >>> lines = list(api.read_logs("iris"))
    """
    directory = Workspace.find(workspace).experiment(experiment)
    files = [directory.log] if trial is None else sorted(directory.known_trial(trial).logs.glob("*"))
    for file in files:
        with open_file(file) as lines:
            for line in lines:
                yield line.decode("utf-8", errors="replace")


def cancel_run(experiment: str | Path, *, now: bool = False, workspace: str | Path | None = None) -> str:
    """Ask the process that runs an experiment to stop. Returns one line that says what was done.

    Raises:
        WorkspaceError: it is not running.

    Example:
        >>> from automl import api
        >>> api.cancel_run("iris")
        Traceback (most recent call last):
        automl.errors.WorkspaceError: ... is not running, so there is nothing to cancel.
    """
    from automl.engine.workspace.control import request
    from automl.engine.workspace.lock import is_locked

    directory: ExperimentDirectory = Workspace.find(workspace).experiment(experiment)
    if not is_locked(directory):
        raise WorkspaceError(f"{directory.path} is not running, so there is nothing to cancel.")
    request(directory, "cancel", now=now)
    return f"{directory.name}/{directory.id} was asked to stop{' now' if now else ' after the running trials'}"


def extend_run(
    experiment: str | Path,
    *,
    time_budget: float | str | None = None,
    max_trials: int | None = None,
    workspace: str | Path | None = None,
) -> str:
    """Give an experiment that runs more time or more trials. Returns one line that says what was done.

    Args:
        time_budget: for everything, what was used included; running trials keep the time that they were given.
        max_trials: in total.

    Raises:
        ConfigError: none is given, there is no such limit, or it would be no larger.
        WorkspaceError: the experiment is not running, or is no longer searching.

    Example:
        >>> from automl import api
        >>> api.extend_run("iris", max_trials=10)
        Traceback (most recent call last):
        automl.errors.WorkspaceError: ... is not running...
    """
    from automl.experiment.extension import ask_to_extend

    directory: ExperimentDirectory = Workspace.find(workspace).experiment(experiment)
    ask_to_extend(directory, time_budget=time_budget, max_trials=max_trials)
    return f"{directory.name}/{directory.id} continues with its new limits"


def mirror_run(experiment: str | Path, *, trust: bool = False, workspace: str | Path | None = None) -> str:
    """Bring to MLflow everything that it lacks of an experiment, and wait for it. Returns one line that says what was
    done.

    Args:
        trust: also to a host that the experiment was not allowed to use before.

    Raises:
        RegistryError: MLflow cannot be reached.
        TrustError: MLflow is on such a host.
        WorkspaceError: another process is doing it.

    Example:
        >>> from automl import api
        >>> print(api.mirror_run("iris"))   # doctest: +SKIP
        1 trials of iris/20260131-120000-1a2b are in MLflow at sqlite:///automl_runs/mlflow.db
    """
    from automl.config.addresses import admit_addresses
    from automl.config.reader import read_config
    from automl.experiment.models.registration import tracking_uri
    from automl.tracking.catch_up import rebuild

    directory = Workspace.find(workspace).experiment(experiment)
    config, _ = read_config(directory.config)
    admit_addresses(config, directory, trust=trust)
    uri = tracking_uri(config, directory)
    return f"{rebuild(directory, uri)} trials of {directory.key} are in MLflow at {redact_text(uri)}"


def replay(
    experiment: str | Path,
    *,
    trial: int | None = None,
    data: Any = None,
    metric: Any = None,
    trust: bool = False,
    workspace: str | Path | None = None,
) -> Replay:
    """Run a completed trial again from its record, by default the winner, and compare the scores.

    Args:
        experiment: its directory, id or name. Nothing in it is changed.
        trial: a completed trial's number.
        data: the data again, if its source is gone; by default what the experiment began with.
        metric: functions that the experiment began with, again: they are not kept on disk.
        trust: let the experiment name any class, and set any argument of it.

    Raises:
        WorkspaceError: there is no such trial, it did not complete, or a part of its record is missing.
        DataError: the data has changed.

    Example:
        >>> from automl import api
        >>> api.replay("iris", trial=0).identical
        True
    """
    from automl.config.arguments import functions_of
    from automl.experiment.models.replay import replay_trial

    directory = Workspace.find(workspace).experiment(experiment)
    return replay_trial(directory, trial, data=data, metrics=functions_of(metric), trust=trust)


def gc(workspace: str | Path | None = None, *, keep: int | None = None, delete: bool = False) -> dict[str, Any]:
    """Find what a workspace no longer needs: models, caches, leftovers. A dry run unless `delete`.

    Args:
        keep: completed trials of each finished experiment whose models stay, by default what its ``retention.models``
            says; the winner's and those that a registered model comes from stay in any case.
        delete: delete it.

    Returns:
        ``workspace``, ``deleted``, ``bytes``, ``items`` (each experiment, trial, kind, path, bytes) and ``left alone``
        (each experiment, reason).

    Raises:
        WorkspaceError: `keep` is negative, or something cannot be deleted.

    Example:
        >>> from automl import api
        >>> api.gc()["deleted"]
        False
    """
    from automl.experiment.models.gc import collect, find_garbage

    place = Workspace.find(workspace)
    found, left = (collect if delete else find_garbage)(place, keep=keep)
    return {
        "workspace": str(place.root),
        "deleted": delete,
        "bytes": sum(item.size for item in found),
        "items": [
            {
                "experiment": item.experiment,
                "trial": item.trial,
                "kind": item.kind.value,
                "path": str(item.path),
                "bytes": item.size,
            }
            for item in found
        ],
        "left alone": [{"experiment": skipped.experiment, "reason": skipped.reason} for skipped in left],
    }

"""`resume`: continue an experiment, or extend it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.api.search import MetricLike, override
from automl.deadline import Deadline
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import DamagedFileError, WorkspaceError

if TYPE_CHECKING:
    from automl.config.schema import ExperimentConfig
    from automl.experiment.result import Result
    from automl.experiment.results.summary import Summary

__all__ = ["resume"]


def resume(
    experiment: str | Path,
    *,
    workspace: str | Path | None = None,
    time_budget: float | str | None = None,
    max_trials: int | None = None,
    data: Any = None,
    metric: MetricLike | list[MetricLike] | None = None,
    trust: bool = False,
    progress: bool = True,
    started: float | None = None,
    last_words: Callable[[Result], None] | None = None,
) -> Result:
    """Continue an experiment that was cut off, or extend a finished one.

    Finished trials are never run again, and the time already used counts. Where the limits on models, or the rule that
    picks the winner, were changed in its experiment.yaml, the winner is picked again.

    Args:
        experiment: its directory, id or name.
        time_budget: a new budget for everything, earlier sessions included.
        max_trials: a new number of trials, earlier ones included.
        data: the data again, if it was changed in memory only; by default what the experiment began with.
        metric: functions that the experiment began with, again: they are not kept on disk.
        started: as for `run`.
        last_words: as for `run`.

    Raises:
        ConfigError: the experiment has its result, and the limits leave no room to add anything; or the time budget
            is too far spent to find a model in, or to pick the winner again.
        DataError: the data has changed.
        WorkspaceError: there is no such experiment, or another process is running it.

    Example:
        >>> result = automl.run("iris.yaml", progress=False)
        >>> result = automl.resume(result.directory, max_trials=2, progress=False)
        >>> len(result.trials())
        2
    """
    begin = time.monotonic() if started is None else started
    from automl.config.addresses import admit_addresses
    from automl.config.arguments import functions_of
    from automl.config.reader import read_config
    from automl.config.tasks import problem_class
    from automl.display.view import make_progress
    from automl.engine.workspace.lock import is_locked
    from automl.experiment.assembly import check_choices
    from automl.experiment.clock import seconds_used
    from automl.experiment.extension import check_room, check_time, check_time_to_pick
    from automl.experiment.finish import end_delivery
    from automl.experiment.prestart import begin_executor
    from automl.experiment.result import Result
    from automl.experiment.results.leaderboard import has_model
    from automl.experiment.session import run_session
    from automl.experiment.watchdog import Watchdog
    from automl.start import check_start
    from automl.tracking.owed import is_owed

    directory = Workspace.find(workspace).experiment(experiment)
    before, _ = read_config(directory.config)
    admit_addresses(before, directory, trust=trust)
    config = override(before, None, time_budget, max_trials)
    done = _result_of(directory)
    is_picked = done is not None and done.winner is not None and _picked_by(config, directory)
    if config == before and done is not None and is_picked:
        return end_delivery(config, directory, done) if is_owed(directory) else Result(directory, done)
    if is_locked(directory):
        raise WorkspaceError(f"Another process is running {directory.path}.")
    check_choices(config)
    deadline = Deadline.after(config.limits.time_budget, used=seconds_used(directory), started=begin)
    if done is not None and is_picked:
        check_room(config, done, deadline)
    elif done is not None:
        check_time_to_pick(done, deadline)
    watchdog = Watchdog(deadline, last_words)
    if not has_model(directory):
        check_time(deadline)
        watchdog.says(partial(check_start, deadline))
    inputs = problem_class(config.task).inputs(
        directory=directory, data=data, metrics=functions_of(metric), trust=trust, progress=progress
    )
    with closing(begin_executor(config, deadline)) as executor:
        view = make_progress(progress, title=directory.name)
        return run_session(config, inputs, directory, executor, deadline=deadline, watchdog=watchdog, view=view)


def _picked_by(config: ExperimentConfig, directory: ExperimentDirectory) -> bool:
    """Tell whether the winner was picked under the limits and the rule now in experiment.yaml, which may be edited."""
    from automl.experiment.results.objectives import Objectives

    try:
        known = Objectives.read(directory)
    except DamagedFileError:
        return False
    return known is None or known.is_that_of(config)


def _result_of(directory: ExperimentDirectory) -> Summary | None:
    """The result of an experiment that has one. One that cannot be read is worked out again."""
    from automl.experiment.results.summary import Summary

    try:
        return Summary.read(directory)
    except DamagedFileError:
        return None

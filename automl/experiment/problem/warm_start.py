"""The best configurations of an earlier experiment, with which a new one starts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from automl.config.reader import read_config
from automl.config.schema import ExperimentConfig
from automl.engine.proposers.warm_start import EarlierTrial
from automl.engine.study.history import maximizes
from automl.engine.trial.contract import TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.records import read_params
from automl.engine.workspace.atomic import read_json, write_json
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import AutomlError, ConfigError, WorkspaceError
from automl.experiment.results.leaderboard import read_trials
from automl.experiment.results.summary import Summary

__all__ = ["borrowed_trials", "resolve_warm_start"]

_KEY = "search.warm_start"
_MOST = 20
"""Trials that are run again at most: what an earlier search ranks below its best 20 a new one finds as soon."""


def resolve_warm_start(config: ExperimentConfig) -> ExperimentConfig:
    """The configuration with the directory of the experiment that it starts from.

    Raises:
        ConfigError: there is no such experiment, it is one of another task, or none of its trials completed.
    """
    reference = config.search.warm_start
    if reference is None:
        return config
    try:
        directory = Workspace.find(config.workspace).experiment(reference)
        earlier, _ = read_config(directory.config)
    except AutomlError as error:
        raise ConfigError(f"cannot start from {reference}: {error}", key=_KEY) from error
    if earlier.task != config.task:
        raise ConfigError(
            f"{reference} is an experiment of the task {earlier.task}, and this one is of {config.task}: name one of "
            "the same task",
            key=_KEY,
        )
    if not any(result.is_whole for result in read_trials(directory)):
        raise ConfigError(f"no trial of {reference} has completed, so there is nothing to start from", key=_KEY)
    search = config.search.model_copy(update={"warm_start": str(directory.path)})
    return config.model_copy(update={"search": search})


def borrowed_trials(config: ExperimentConfig, directory: ExperimentDirectory) -> tuple[EarlierTrial, ...]:
    """The earlier trials that the experiment in `directory` begins with, the best of each algorithm first.

    They are recorded when they are first asked for: a resumed session starts from the same ones, whatever has
    become of the earlier experiment.
    """
    if config.search.warm_start is None:
        return ()
    if not directory.warm_start.exists():
        trials = tuple(_best(ExperimentDirectory(Path(config.search.warm_start))))
        write_json(directory.warm_start, {"trials": [asdict(trial) for trial in trials]})
    try:
        return tuple(EarlierTrial(**trial) for trial in read_json(directory.warm_start)["trials"])
    except (KeyError, TypeError) as error:
        raise WorkspaceError(f"{directory.warm_start} does not hold what a warm start needs: {error}.") from error


def _best(directory: ExperimentDirectory) -> Iterator[EarlierTrial]:
    for result in _ranked(directory)[:_MOST]:
        origin = f"{directory.name}/{directory.id}/{result.number}"
        yield EarlierTrial(result.algorithm, read_params(directory.trial(result.number)), origin)


def _ranked(directory: ExperimentDirectory) -> list[TrialResult]:
    """Trials with different configurations: the best of each algorithm, then the others; either by their scores."""
    summary = Summary.read(directory)
    objective = Objective("score", maximizes(directory.journal)) if summary is None else summary.objective
    completed = [result for result in read_trials(directory) if result.is_whole]
    completed.sort(key=lambda result: (objective.loss(_score(result)), result.number))
    different: dict[str, TrialResult] = {}
    for result in completed:
        params = json.dumps(read_params(directory.trial(result.number)), sort_keys=True)
        different.setdefault(f"{result.algorithm} {params}", result)
    leaders = _first_of_each_algorithm(tuple(different.values()))
    return [*leaders, *(result for result in different.values() if result not in leaders)]


def _first_of_each_algorithm(results: Sequence[TrialResult]) -> list[TrialResult]:
    first: dict[str, TrialResult] = {}
    for result in results:
        first.setdefault(result.algorithm, result)
    return list(first.values())


def _score(result: TrialResult) -> float:
    assert result.value is not None
    return result.value

"""Experiments as plain data: for listings, for ``--json``, for programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from automl.engine.trial.objective import Objective
from automl.engine.trial.records import read_params, read_result
from automl.engine.workspace.layout import ExperimentDirectory
from automl.engine.workspace.lock import is_locked
from automl.errors import AutomlError, WorkspaceError
from automl.experiment.results.leaderboard import leaderboard, read_trials
from automl.experiment.results.objectives import Objectives
from automl.experiment.results.summary import Summary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe_experiment", "describe_leaderboard", "describe_run", "describe_trial"]


_ROW = ("trials", "metric", "best", "seconds", "model")


def describe_run(directory: ExperimentDirectory) -> dict[str, Any]:
    """One row of a listing. An experiment that cannot be read is ``damaged``, and does not end the listing."""
    try:
        directory.check()
        begun = len(directory.trial_numbers())
    except AutomlError:
        return {"experiment": directory.name, "id": directory.id, "status": "damaged", **dict.fromkeys(_ROW)}
    summary = _summary(directory)
    status = "running" if is_locked(directory) else "finished" if summary is not None else "interrupted"
    registered = None if summary is None else summary.registered
    return {
        "experiment": directory.name,
        "id": directory.id,
        "status": status,
        "trials": sum(summary.counts.values()) if summary is not None else begun,
        "metric": None if summary is None else summary.metric,
        "best": None if summary is None or summary.winner is None else summary.winner.value,
        "seconds": None if summary is None else round(summary.seconds, 1),
        "model": None if registered is None else f"{registered.name}/{registered.version}",
    }


def describe_experiment(directory: ExperimentDirectory) -> dict[str, Any]:
    """A listing's row, the content of result.json, and the leaderboard."""
    summary = _summary(directory)
    described = describe_run(directory)
    if summary is not None:
        described |= summary.model_dump(mode="json", exclude={"experiment", "id", "format_version", "metric"})
    objectives = _objectives(directory, summary)
    described |= {"metric": objectives.primary.name, "directory": str(directory.path)}
    described["leaderboard"] = _rows(leaderboard(read_trials(directory), objectives))
    return described


def describe_leaderboard(directory: ExperimentDirectory, *, front: bool = False) -> dict[str, Any]:
    """The leaderboard, or only its Pareto front, with what it is sorted by and who was picked."""
    summary = _summary(directory)
    objectives = _objectives(directory, summary)
    board = leaderboard(read_trials(directory), objectives)
    return {
        "experiment": directory.name,
        "id": directory.id,
        "metric": objectives.primary.name,
        "goal": objectives.primary.goal,
        "winner": None if summary is None or summary.winner is None else summary.winner.model_dump(mode="json"),
        "leaderboard": _rows(board[board["front"]] if front else board),
    }


def _objectives(directory: ExperimentDirectory, summary: Summary | None) -> Objectives:
    """Return what a leaderboard is sorted by; before the data was read there is no trial to sort."""
    known = Objectives.read(directory)
    if known is not None:
        return known
    return Objectives.simple(Objective("score") if summary is None else summary.objective)


def _rows(board: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in board.to_dict("records")]


def _plain(value: Any) -> Any:
    """A cell as JSON has it, to the last bit: null for what is missing or infinite."""
    import pandas as pd

    return None if pd.isna(value) or value in (math.inf, -math.inf) else value


def describe_trial(directory: ExperimentDirectory, number: int) -> dict[str, Any]:
    """The record of a trial, with its parameters.

    Raises:
        WorkspaceError: there is no such trial, or it has not ended.
    """
    result = read_result(directory.trial(number))
    if result is None:
        there = directory.trial(number).path.is_dir()
        raise WorkspaceError(f"Trial {number} of {directory.path} {'has not ended' if there else 'does not exist'}.")
    return {"params": read_params(directory.trial(number)), **result.model_dump(mode="json")}


def _summary(directory: ExperimentDirectory) -> Summary | None:
    """The summary, or None where a listing should not end because of one damaged experiment."""
    try:
        return Summary.read(directory)
    except AutomlError:
        return None

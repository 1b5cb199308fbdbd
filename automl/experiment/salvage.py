"""The work that running trials have completed, where the process ends and no trial known to the search left a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from automl.engine.study.state import Finished, RunningTrial, SearchState
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.partial import keep
from automl.engine.trial.records import read_proposed, read_result, write_result
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.results.objectives import Objectives

__all__ = ["with_what_is_left"]


def with_what_is_left(last: SearchState, directory: ExperimentDirectory, objectives: Objectives) -> SearchState:
    """`last` with the running trial that has left the largest part of a model as one that was ended.

    Its trial.json is written; the journal is told when the experiment is resumed. Workers must no longer write.

    Args:
        last: a state without a model; another one is returned unchanged.

    Raises:
        WorkspaceError: the disk is full.
    """
    if last.best is not None or last.partial is not None:
        return last
    left = [found for found in _ended(last, directory) if objectives.limits.allow(found.result)]
    if not left:
        return last
    most = max(left, key=lambda found: found.result.share)
    write_result(directory.trial(most.result.number), most.result)
    return replace(last, best=most) if most.result.is_whole else replace(last, partial=most)


def _ended(last: SearchState, directory: ExperimentDirectory) -> Iterator[Finished]:
    for trial in last.running:
        place = directory.trial(trial.number)
        result = read_result(place) or keep(place, _cut(trial, last, directory))
        if result.is_whole or result.is_partial:
            yield Finished(result, trial.params, eligible=result.is_whole)


def _cut(trial: RunningTrial, last: SearchState, directory: ExperimentDirectory) -> TrialResult:
    proposed = read_proposed(directory.trial(trial.number))
    return TrialResult(
        number=trial.number,
        attempt=trial.attempt,
        algorithm=trial.algorithm,
        status=Status.CANCELLED,
        fidelity=1.0 if proposed is None else proposed.fidelity,
        seed=0 if proposed is None else proposed.seed,
        seconds=max(0.0, last.elapsed - trial.since),
        elapsed=round(last.elapsed, 3),
    )

"""A trial once more, from its record: does it come to the same score?"""

from __future__ import annotations

import contextlib
import math
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.config.reader import read_config
from automl.config.schema import ExperimentConfig
from automl.deadline import Deadline
from automl.errors import WorkspaceError
from automl.execution.registry import make_executor
from automl.experiment.assembly import make_context
from automl.experiment.environment import Environment, distribution_of, environment_at
from automl.experiment.prepare import Inputs, Problem, prepare
from automl.experiment.save import as_recorded, saved_data
from automl.experiment.summary import Summary
from automl.trial.contract import (
    Lineage,
    Status,
    TrialContext,
    TrialResources,
    TrialResult,
    TrialSpec,
    read_result,
)
from automl.trial.learner import LearnerWork
from automl.workspace.atomic import read_json
from automl.workspace.layout import ExperimentDirectory

__all__ = ["Replay", "replay_trial"]

_RELATIVE = 1e-9
"""Scores that differ by less, relative to their size, are taken for equal."""


@dataclass(frozen=True)
class Replay:
    """A trial's record beside the same trial run again.

    Attributes:
        metric: name of the primary metric.
        recorded: what trial.json says.
        replayed: what came out now.
        changed: versions that differ from those the trial ran with, by name: (then, now), None where there was none.
            None if the experiment has not noted its versions.
        had_limit: the trial ran under a limit of time, which may have cut a fit short. A replay has none.
    """

    metric: str
    recorded: TrialResult
    replayed: TrialResult
    changed: Mapping[str, tuple[str | None, str | None]] | None
    had_limit: bool = False

    @property
    def scores(self) -> dict[str, tuple[float | None, float | None]]:
        """The value and the folds' scores: (recorded, replayed), None for a fold that one of them lacks."""
        folds = max(len(self.recorded.fold_scores), len(self.replayed.fold_scores))
        pairs = {"value": (self.recorded.value, self.replayed.value)}
        for fold in range(folds):
            pairs[f"fold {fold}"] = _at(self.recorded.fold_scores, fold), _at(self.replayed.fold_scores, fold)
        return pairs

    @property
    def identical(self) -> bool:
        """Every score is the same, to the last bit."""
        return self.replayed.status is Status.COMPLETED and all(then == now for then, now in self.scores.values())

    @property
    def equal(self) -> bool:
        """Every score is the same, within a relative 1e-9."""
        return self.replayed.status is Status.COMPLETED and all(_close(*pair) for pair in self.scores.values())

    @property
    def verdict(self) -> str:
        """One sentence: equal; or what differs, and what may be the reason."""
        number = self.recorded.number
        if self.identical:
            return f"Trial {number} came to the same score, to the last bit."
        if self.equal:
            return f"Trial {number} came to the same score within {_RELATIVE:g}."
        if self.replayed.status is not Status.COMPLETED:
            failure = self.replayed.failure
            why = "" if failure is None else f" ({failure.kind}: {failure.message.rstrip('.')})"
            return (
                f"Trial {number} did not complete this time: it ended {self.replayed.status.value}{why}{self._hint()}."
            )
        then, now = self.recorded.value, self.replayed.value
        if not _close(then, now):
            return f"Trial {number} came to {self.metric} = {now!r}, and its record says {then!r}{self._hint()}."
        return f"Trial {number} came to the same {self.metric}, and its folds to other scores{self._hint()}."

    def _hint(self) -> str:
        if self.changed is None:
            return "; the experiment has not noted the versions that it ran with"
        if self.changed:
            listed = (
                f"{name} was {then or 'absent'} and is {now or 'absent'}" for name, (then, now) in self.changed.items()
            )
            return f"; versions differ: {', '.join(listed)}"
        if self.had_limit:
            return (
                "; no version differs, but the trial had a limit of time, and a fit that was cut short does not repeat"
            )
        return "; no version differs"


def _at(scores: tuple[float, ...], fold: int) -> float | None:
    return scores[fold] if fold < len(scores) else None


def _close(then: float | None, now: float | None) -> bool:
    if then is None or now is None:
        return then is now
    return math.isclose(then, now, rel_tol=_RELATIVE)


def replay_trial(
    directory: ExperimentDirectory,
    number: int | None = None,
    *,
    data: Any = None,
    metrics: Mapping[str, Callable[..., float]] | None = None,
    trust: bool = False,
) -> Replay:
    """Run a trial again, in a scratch directory that is removed: the experiment's is only read.

    It runs in a worker process, or in this one if the experiment's executor was ``inline``, with as many threads as
    its record had and with no limit of time or memory.

    Args:
        directory: the experiment's.
        number: of a completed trial; by default the winner.
        data: the data again, if its source is gone; by default the saved copy, or the source.
        metrics: functions that the experiment began with, by name: they are not kept on disk.
        trust: code outside the allowed packages may be imported.

    Raises:
        WorkspaceError: there is no such trial, it did not complete, or a part of its record is missing.
        DataError: the data has changed, or cannot be read.
        ConfigError: the experiment needs trust or functions that were not given.
    """
    recorded = _recorded(directory, _winner(directory) if number is None else number)
    params = _params(directory, recorded)
    config, _ = read_config(directory.config)
    saved = saved_data(directory) if data is None else None
    problem = as_recorded(prepare(config, Inputs(data, saved=saved, metrics=metrics, trust=trust)), directory)
    _check_algorithm(problem, recorded)
    before = environment_at(directory, recorded.started_at)
    with tempfile.TemporaryDirectory(prefix="automl-replay-", ignore_cleanup_errors=True) as scratch:
        place = ExperimentDirectory(Path(scratch))
        context = make_context(problem, trust=trust, cache=place.cache)
        assert isinstance(context.work, LearnerWork)
        context = replace(context, work=replace(context.work, keep_models=False))
        replayed = _run(_spec(recorded, params, config, place), context, config)
    package = problem.space.algorithms[recorded.algorithm].package or ""
    now = Environment.now(problem.space.algorithms.values())
    return Replay(
        metric=problem.primary.name,
        recorded=recorded,
        replayed=replayed,
        changed=None if before is None else before.differences(now, framework=distribution_of(package)),
        had_limit=config.limits.time_budget is not None or config.limits.trial_timeout is not None,
    )


def _winner(directory: ExperimentDirectory) -> int:
    summary = Summary.read(directory)
    if summary is None:
        raise WorkspaceError(
            f"{directory.path} has no result, so it has no winner yet: name a trial with --trial, or go on with "
            f"'automl resume {directory.path}'."
        )
    if summary.best_trial is None:
        raise WorkspaceError(f"{directory.path} has no winner: no trial completed.")
    return summary.best_trial


def _recorded(directory: ExperimentDirectory, number: int) -> TrialResult:
    """The record of a completed trial."""
    numbers = directory.trial_numbers()
    if number not in numbers:
        there = f"its trials are {numbers[0]} to {numbers[-1]}" if numbers else "it has none yet"
        raise WorkspaceError(f"There is no trial {number} in {directory.path}: {there}.")
    place = directory.trial(number)
    result = read_result(place)
    if result is None:
        raise WorkspaceError(f"Trial {number} has no score to compare with: {place.result} is missing or damaged.")
    if result.status is not Status.COMPLETED or result.value is None:
        raise WorkspaceError(
            f"Trial {number} of {directory.path} ended {result.status.value}, and only a completed one can be replayed."
        )
    return result


def _params(directory: ExperimentDirectory, recorded: TrialResult) -> dict[str, Any]:
    path = directory.trial(recorded.number).params
    written = read_json(path)
    params = written.get("params")
    if not isinstance(params, dict) or written.get("algorithm") != recorded.algorithm:
        raise WorkspaceError(f"{path} is damaged: it does not hold the parameters of a {recorded.algorithm}.")
    return params


def _check_algorithm(problem: Problem, recorded: TrialResult) -> None:
    if recorded.algorithm in problem.space.algorithms:
        return
    reason = next((e.reason for e in problem.exclusions if e.algorithm == recorded.algorithm), None)
    raise WorkspaceError(
        f"Trial {recorded.number} fitted {recorded.algorithm}, which cannot run here: "
        f"{(reason or 'the search space does not have it any more').rstrip('.')}."
    )


def _spec(
    recorded: TrialResult, params: Mapping[str, Any], config: ExperimentConfig, place: ExperimentDirectory
) -> TrialSpec:
    place.trials.mkdir()
    return TrialSpec(
        number=recorded.number,
        algorithm=recorded.algorithm,
        params=params,
        directory=place.trial(recorded.number).path,
        seed=recorded.seed,
        fidelity=recorded.fidelity,
        resources=TrialResources(config.compute.cpus_per_trial),
        lineage=Lineage(parent=recorded.parent),
    )


def _run(spec: TrialSpec, context: TrialContext, config: ExperimentConfig) -> TrialResult:
    """The result of `spec`, run alone and to its end."""
    name = "inline" if config.compute.executor == "inline" else "process"
    options = config.compute.model_copy(update={"executor": name, "address": None, "max_workers": 1})
    executor = make_executor(options, Deadline.after(None))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what an inline trial prints is no part of the answer
            executor.start(context)
            executor.submit(spec)
            while True:
                for event in executor.wait(1.0):
                    if isinstance(event, TrialResult):
                        return event
    finally:
        executor.close()

"""A trial run once more, from its record, to see whether it reaches the same score."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.engine.trial.contract import Status, TrialResult
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError
from automl.experiment.models.rerun import RELATIVE, close, problem_of, recorded_trial, rerun
from automl.experiment.problem.environment import Environment, environment_at
from automl.experiment.results.summary import Summary
from automl.packages import distribution_of

__all__ = ["Replay", "replay_trial"]


@dataclass(frozen=True)
class Replay:
    """A trial's record beside the same trial run again.

    Attributes:
        metric: name of the primary metric.
        recorded: what trial.json says.
        replayed: the result of running it again.
        changed: versions that differ from those the trial ran with, by name: (then, now), None where there was none.
            None if the experiment has not recorded its versions.
    """

    metric: str
    recorded: TrialResult
    replayed: TrialResult
    changed: Mapping[str, tuple[str | None, str | None]] | None

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
        return self.replayed.status is Status.COMPLETED and all(close(*pair) for pair in self.scores.values())

    @property
    def verdict(self) -> str:
        """One sentence: equal; or what differs, and what may be the reason."""
        number = self.recorded.number
        if self.identical:
            return f"Trial {number} reached the same score, to the last bit."
        if self.equal:
            return f"Trial {number} reached the same score within {RELATIVE:g}."
        if self.replayed.status is not Status.COMPLETED:
            failure = self.replayed.failure
            why = "" if failure is None else f" ({failure.kind}: {failure.message.rstrip('.')})"
            return (
                f"Trial {number} did not complete this time: it ended {self.replayed.status.value}{why}{self._hint()}."
            )
        then, now = self.recorded.value, self.replayed.value
        if not close(then, now):
            return f"Trial {number} reached {self.metric} = {now!r}, but its record says {then!r}{self._hint()}."
        return f"Trial {number} reached the same {self.metric}, but its folds reached other scores{self._hint()}."

    def _hint(self) -> str:
        if self.changed is None:
            return "; the experiment did not record the versions that it ran with"
        if self.changed:
            listed = (
                f"{name} was {then or 'absent'} and is {now or 'absent'}" for name, (then, now) in self.changed.items()
            )
            return f"; versions differ: {', '.join(listed)}"
        return "; no version differs"


def _at(scores: tuple[float, ...], fold: int) -> float | None:
    return scores[fold] if fold < len(scores) else None


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
        trust: the file may name any class, and set any argument of it.

    Raises:
        WorkspaceError: there is no such trial, it did not complete, the clock ended a fit of it, or a part of its
            record is missing.
        DataError: the data has changed, or cannot be read.
        ConfigError: the experiment needs trust or functions that were not given.
    """
    recorded = recorded_trial(directory, _winner(directory) if number is None else number)
    problem, config = problem_of(directory, data=data, metrics=metrics, trust=trust)
    before = environment_at(directory, recorded.started_at)
    with tempfile.TemporaryDirectory(prefix="automl-replay-", ignore_cleanup_errors=True) as scratch:
        place = ExperimentDirectory(Path(scratch))
        replayed = rerun(problem, config, directory, recorded, place, keep_models=False)
    package = problem.space.algorithms[recorded.algorithm].package or ""
    now = Environment.now(problem.space.algorithms.values())
    return Replay(
        metric=problem.objective.name,
        recorded=recorded,
        replayed=replayed,
        changed=None if before is None else before.differences(now, framework=distribution_of(package)),
    )


def _winner(directory: ExperimentDirectory) -> int:
    summary = Summary.read(directory)
    if summary is None:
        raise WorkspaceError(
            f"{directory.path} has no result, so it has no winner yet: name a trial with --trial, or continue it with "
            f"'automl resume {directory.path}'."
        )
    if summary.winner is None:
        raise WorkspaceError(f"{directory.path} has no winner: no trial completed.")
    if summary.winner.trial is None:
        raise WorkspaceError(f"The winner of {directory.path} is {summary.winner.title}: name a trial with --trial.")
    return summary.winner.trial

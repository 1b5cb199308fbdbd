"""The models and checkpoints that stay while a search runs: a night of ten thousand trials must not fill the disk."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from automl.engine.trial.contract import TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.results.objectives import Objectives
from automl.experiment.results.pareto_front import criteria_of, pareto_front

__all__ = ["Retention", "best_trials", "is_folder", "is_spare", "remove"]

log = logging.getLogger("automl")


class Retention:
    """Deletes, as trials end, models that will not be asked for, and checkpoints that no trial will continue from.

    What stays are the models of the best trials by score, of the best one that the limits on models allow, of trials
    that were registered and, where the winner may be another than the best score, of the Pareto front: whatever the
    rule picks is on it, and a trial that has left the front, or the best, never comes back to it. So each new trial is
    compared with those that still have models, and with no others. As long as no trial is whole, the one that has left
    the largest part of a model is the best, and keeps it.

    Args:
        directory: the experiment's.
        objectives: what makes one model better than another.
        models: how many of the best keep their models; None for all, with all checkpoints.
        continues: whether trials continue from the checkpoints of others (`Sampler.continues`).
    """

    def __init__(
        self, directory: ExperimentDirectory, objectives: Objectives, models: int | None, *, continues: bool = False
    ) -> None:
        self._directory, self._objectives, self._models = directory, objectives, models
        self._continues = continues
        self._held: dict[int, TrialResult] = {}
        self._partial: int | None = None

    def observe(self, finished: Iterable[TrialResult], best: int | None) -> None:
        """Take in trials that have ended; delete the models that are not needed beside theirs.

        Args:
            finished: those that ended since the last call.
            best: number of the best trial at present.
        """
        if self._models is None:
            return
        ended = list(finished)
        if not ended:
            return
        for result in ended:
            if is_spare(result, continues=self._continues):
                _drop(self._directory.trial(result.number).checkpoint)
        self._held |= {result.number: result for result in ended if result.is_whole}
        needed = self._needed(best)
        spare = [result.number for result in ended if result.number not in self._held and result.number != best]
        spare += [number for number in self._held if number not in needed]
        if self._partial is not None and self._partial != best:
            spare.append(self._partial)
        self._partial = None if best in self._held else best
        for number in spare:
            self._held.pop(number, None)
            trial = self._directory.trial(number)
            if not trial.registered.exists():
                _drop(trial.models)

    def _needed(self, best: int | None) -> set[int]:
        assert self._models is not None
        objectives, held = self._objectives, list(self._held.values())
        needed = {best} if best is not None else set[int]()
        needed.update(best_trials(held, self._models, objectives.primary))
        if objectives.pick != "best" or objectives.limits:
            needed.update(result.number for result in pareto_front(held, criteria_of(objectives)))
        return needed


def is_spare(ended: TrialResult, *, continues: bool) -> bool:
    """Tell whether no trial will continue from the checkpoint of this one.

    Args:
        continues: whether trials continue from the checkpoints of others at all; those that did all of the work have no
            successor.
    """
    return ended.is_whole or not continues


def _drop(folder: Path) -> None:
    if not is_folder(folder):
        return
    try:
        remove(folder)
    except OSError as error:  # housekeeping never ends a search
        log.warning("cannot delete %s: %s", folder, error.strerror or error)


def best_trials(results: Sequence[TrialResult], count: int, objective: Objective) -> list[int]:
    """Numbers of the best whole trials; of equal ones the earlier is better, as on the leaderboard."""
    ranked = sorted((objective.loss(r.value), r.number) for r in results if r.is_whole and r.value is not None)
    return [number for _, number in ranked[:count]]


def is_folder(path: Path) -> bool:
    """True for a folder of ours: a link leads to someone else's."""
    return path.is_dir() and not path.is_symlink()


def remove(path: Path) -> None:
    """Delete a file or a folder. A folder goes at once: a process that is reading it finds all of it, or nothing.

    Raises:
        OSError: it cannot be deleted.
    """
    if not is_folder(path):
        path.unlink(missing_ok=True)
        return
    doomed = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # found again, should this be killed
    with suppress(FileNotFoundError):
        shutil.rmtree(doomed)
    os.replace(path, doomed)
    shutil.rmtree(doomed)

"""Which models stay while a search goes on: a night of ten thousand trials must not fill the disk."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from automl.experiment.front import objectives_of, pareto_front
from automl.experiment.preference import Preference
from automl.trial.contract import TrialResult
from automl.workspace.layout import ExperimentDirectory

__all__ = ["Retention", "best_trials", "is_folder", "remove"]

log = logging.getLogger("automl")


class Retention:
    """Deletes the models of trials that nobody is going to ask for, as trials end.

    What stays are the models of the best trials by score, of the best one that the limits on models allow, of trials
    that were registered and, where the winner may be another than the best score, of the Pareto front: whatever the
    rule picks is on it, and a trial that has left the front, or the best, never comes back to it. So each new trial is
    compared with those that still have models, and with no others.

    Args:
        directory: the experiment's.
        preference: what makes one model better than another.
        models: how many of the best keep their models; None for all.
    """

    def __init__(self, directory: ExperimentDirectory, preference: Preference, models: int | None) -> None:
        self._directory, self._preference, self._models = directory, preference, models
        self._held: dict[int, TrialResult] = {}

    def observe(self, finished: Iterable[TrialResult], best: int | None) -> None:
        """Trials have ended; the models that are not needed beside theirs go.

        Args:
            finished: those that ended since the last call.
            best: number of the best trial at present.
        """
        if self._models is None:
            return
        ended = list(finished)
        if not ended:
            return
        self._held |= {result.number: result for result in ended if result.is_whole}
        needed = self._needed(best)
        spare = [result.number for result in ended if not result.is_whole]
        spare += [number for number in self._held if number not in needed]
        for number in spare:
            self._held.pop(number, None)
            self._drop(number)

    def _needed(self, best: int | None) -> set[int]:
        assert self._models is not None
        preference, held = self._preference, list(self._held.values())
        needed = {best} if best is not None else set[int]()
        needed.update(best_trials(held, self._models, maximize=preference.maximize))
        if preference.pick != "best" or preference.limits:
            needed.update(result.number for result in pareto_front(held, objectives_of(preference)))
        return needed

    def _drop(self, number: int) -> None:
        trial = self._directory.trial(number)
        if not is_folder(trial.models) or trial.registered.exists():
            return
        try:
            remove(trial.models)
        except OSError as error:  # housekeeping never ends a search
            log.warning("cannot delete %s: %s", trial.models, error.strerror or error)


def best_trials(results: Sequence[TrialResult], count: int, *, maximize: bool) -> list[int]:
    """Numbers of the best whole trials; of equal ones the earlier is better, as on the leaderboard."""
    ranked = sorted(
        (-r.value if maximize else r.value, r.number) for r in results if r.is_whole and r.value is not None
    )
    return [number for _, number in ranked[:count]]


def is_folder(path: Path) -> bool:
    """A folder of our own: a link leads to somebody else's."""
    return path.is_dir() and not path.is_symlink()


def remove(path: Path) -> None:
    """Delete a file or a folder. A folder goes at once: whoever is reading it finds all of it, or nothing.

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

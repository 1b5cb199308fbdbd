"""The reports of a learner's fit to the driver while it runs, and the moment at which it has to end."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from automl.client import Run
from automl.learning.algorithms.progress import Checkpoints
from automl.learning.training.fold_steps import PER_FOLD

__all__ = ["FoldProgress"]

_FOR_FITTING = 0.8
"""Share of a fold's time that its fit may take; the rest is for features, predictions and scores."""
_AFTER, _MOST_AFTER = 0.05, 2.0
"""Share of its time, and seconds at most, that a fit which plans its own time and its predictions leaves for the rest
of the fold: scores, files, and what takes longer than planned."""
_BUSIEST = 3.0
"""On a machine with so many times more to do than it has cores, or more, three times as much is left."""
_STRIDE = PER_FOLD // 10


class FoldProgress:
    """Reports the running value: the mean over the completed folds and this one as it stands.

    A fit of an anytime algorithm reports at tenths of its time and not where its epochs happen to end, so that trials
    of fast and of slow nets meet at the same steps.

    Args:
        run: of the trial.
        fold: number of the fold, counted from 0.
        folds_left: folds that are still to be done, this one among them. They share the time that is left.
        completed: scores of the folds before.
        metric: name of the primary metric.
        score: from the validation rows' predictions to the primary metric.
        wanted: report, though the algorithm is none of the anytime ones.
        allotted: seconds of a fit that lasts as long as it is given; None: it has its own length.
        fidelity: see `Progress.fidelity`.
        predictions: see `Progress.predictions`.
        apart: the fit is not one of the trial's own: no other fit continues from its state.

    Attributes:
        out_of_time: True once the fit was told to end because the fold's share of the time was used up.
    """

    FEWEST_ROWS: ClassVar[int] = 2_000
    """With fewer training rows a fit is over before a report could save anything. Rows, not a clock: runs repeat."""

    def __init__(
        self,
        run: Run,
        *,
        fold: int,
        folds_left: int,
        completed: Sequence[float],
        metric: str,
        score: Callable[[np.ndarray], float],
        wanted: bool,
        allotted: float | None = None,
        fidelity: float = 1.0,
        predictions: float = 1.0,
        apart: bool = False,
    ) -> None:
        self._apart = apart
        self._run, self._fold, self._completed, self._metric, self._score = run, fold, completed, metric, score
        now, share = time.monotonic(), run.seconds_left / folds_left
        after = min(_AFTER * share, _MOST_AFTER) * _busyness()
        self.anytime, self.fidelity, self.predictions = allotted is not None, fidelity, predictions
        self._over = now + min(share - after, math.inf if allotted is None else allotted)
        self._stops = self._over if self.anytime else now + _FOR_FITTING * share
        self._over = min(self._over, self._stops)  # what anneals to the end of the time must not be stopped before it
        self._reported = 0
        self.wanted = wanted or self.anytime
        self.out_of_time = False

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._over - time.monotonic())

    @property
    def checkpoints(self) -> Checkpoints | None:
        if self._apart:
            return None
        name, parent = f"fold_{self._fold:02d}", self._run.parent_checkpoint
        own = self._run.checkpoint / name
        own.mkdir(exist_ok=True)
        before = None if parent is None else parent / name
        return Checkpoints(own, before if before is not None and before.is_dir() else None)

    def should_stop(self) -> bool:
        self.out_of_time = self.out_of_time or time.monotonic() > self._stops
        return self.out_of_time or self._run.should_stop

    def report(self, fraction: float, predict: Callable[[], np.ndarray]) -> None:
        percent = int(PER_FOLD * fraction)
        if self.anytime:
            percent -= percent % _STRIDE
            if not self._reported < percent < PER_FOLD:
                return
            self._reported = percent
        value = float(np.mean([*self._completed, self._score(predict())]))
        if math.isfinite(value):  # a metric may be undefined before the model knows every class
            self._run.log(self._metric, value, step=self._fold * PER_FOLD + percent)


def _busyness() -> float:
    """Return how many processes want each core of this machine, in [1, _BUSIEST]; 1 where the system does not say."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return min(max(1.0, load / (os.cpu_count() or 1)), _BUSIEST)

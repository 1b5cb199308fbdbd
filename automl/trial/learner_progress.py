"""What a learner's fit tells the driver while it runs, and when it has to end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from automl.client import Run
from automl.trial.contract import STEPS_PER_FOLD

__all__ = ["FoldProgress"]

_FOR_FITTING = 0.8
"""Share of a fold's time that its fit may take; the rest is for features, predictions and scores."""


class FoldProgress:
    """Reports the running value: the mean over the completed folds and this one as it stands.

    Args:
        run: of the trial.
        fold: number of the fold, counted from 0.
        folds_left: folds that are still to be done, this one among them. They share the time that is left.
        completed: scores of the folds before.
        metric: name of the primary metric.
        score: from the validation rows' predictions to the primary metric.
        wanted: report at all.

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
    ) -> None:
        self._run, self._fold, self._completed, self._metric, self._score = run, fold, completed, metric, score
        self._ends = time.monotonic() + _FOR_FITTING * run.seconds_left / folds_left
        self.wanted = wanted
        self.out_of_time = False

    def should_stop(self) -> bool:
        self.out_of_time = self.out_of_time or time.monotonic() > self._ends
        return self.out_of_time or self._run.should_stop

    def report(self, fraction: float, predict: Callable[[], np.ndarray]) -> None:
        value = float(np.mean([*self._completed, self._score(predict())]))
        if math.isfinite(value):  # a metric may be undefined before the model knows every class
            step = self._fold * STEPS_PER_FOLD + int(STEPS_PER_FOLD * fraction)
            self._run.log(self._metric, value, step=step)

"""Stop what is worse than half of the others were at the same step."""

from __future__ import annotations

import math
from array import array
from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optuna.study import StudyDirection
from pydantic import Field

from automl.engine.pruners.base import Pruner, PrunerSettings, RememberingPruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from automl.engine.trial.steps import Steps

__all__ = ["MedianStopping"]


class MedianSettings(PrunerSettings):
    n_startup_trials: int = Field(default=5, ge=0, description="trials that must complete before any is stopped")
    n_min_trials: int = Field(
        default=4, ge=1, description="trials that must have reported at a step to be compared with"
    )


class MedianStopping(Pruner):
    """The median stopping rule (Golovin et al. 2017, KDD, section 3.2.2).

    As in Optuna, whose own pruner walks all trials at each report: a trial's best value so far is compared with the
    median of what the completed ones reported at the same step.
    """

    name = "median"
    Settings = MedianSettings

    def make(self, steps: Steps | None = None) -> BasePruner:
        assert isinstance(self.settings, MedianSettings)
        return _MedianPruner(self.settings)


class _MedianPruner(RememberingPruner):
    def __init__(self, settings: MedianSettings) -> None:
        self._settings = settings
        self._completed = 0
        self._values: dict[int, array[float]] = defaultdict(lambda: array("d"))  # by step, ascending

    def completed(self, trial: FrozenTrial) -> None:
        self._completed += 1
        for step, value in trial.intermediate_values.items():
            if not math.isnan(value):
                insort(self._values[step], value)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        step = trial.last_step
        if step is None or self._completed < max(1, self._settings.n_startup_trials):
            return False
        values = [value for value in trial.intermediate_values.values() if not math.isnan(value)]
        if not values:
            return True
        others = self._values[step]
        if len(others) < self._settings.n_min_trials:
            return False
        if study.direction == StudyDirection.MAXIMIZE:
            return max(values) < _median(others)
        return min(values) > _median(others)


def _median(ascending: Sequence[float]) -> float:
    half = len(ascending) // 2
    return (ascending[half] + ascending[~half]) / 2

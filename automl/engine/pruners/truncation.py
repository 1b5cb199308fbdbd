"""Stop the worst few percent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from pydantic import Field

from automl.engine.pruners.base import Pruner, PrunerSettings, values_at

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from automl.engine.trial.steps import Steps

__all__ = ["Truncation"]


class TruncationSettings(PrunerSettings):
    truncation_percentage: int = Field(
        default=20, ge=1, le=99, description="percent of the trials at a step, the worst ones, that are stopped there"
    )


class Truncation(Pruner):
    """The policy ``TruncationSelectionPolicy`` of Azure Machine Learning, asynchronous.

    A trial is stopped if it is among the worst X percent, rounded down, of all trials that have reported at its step,
    running and ended. Ties count in its favour.
    """

    name = "truncation"
    Settings = TruncationSettings

    def make(self, steps: Steps | None = None) -> BasePruner:
        assert isinstance(self.settings, TruncationSettings)
        return _TruncationPruner(self.settings.truncation_percentage)


class _TruncationPruner(BasePruner):
    def __init__(self, percentage: int) -> None:
        self._percentage = percentage

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        if trial.last_step is None:
            return False
        value, others = trial.intermediate_values[trial.last_step], values_at(study, trial, trial.last_step)
        if math.isnan(value):
            return True
        maximize = study.direction == StudyDirection.MAXIMIZE
        not_better = sum(other <= value if maximize else other >= value for other in others)
        return not_better < (len(others) + 1) * self._percentage // 100

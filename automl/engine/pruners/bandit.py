"""Stop what falls too far behind the best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from pydantic import Field, model_validator

from automl.engine.pruners.base import Pruner, PrunerSettings, values_at

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from automl.engine.trial.steps import Steps

__all__ = ["Bandit"]


class BanditSettings(PrunerSettings):
    slack_factor: float | None = Field(
        default=None, gt=0, description="how far behind, as a ratio: 0.1 stops below best / 1.1 (above best x 1.1)"
    )
    slack_amount: float | None = Field(default=None, gt=0, description="how far behind, in the metric's own unit")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.slack_factor is None) == (self.slack_amount is None):
            raise ValueError("give exactly one of slack_factor and slack_amount")
        return self


class Bandit(Pruner):
    """Azure Machine Learning's ``BanditPolicy``: stop what is behind the best by more than a slack.

    The best is that of all trials, running and ended, at the same step.
    """

    name = "bandit"
    Settings = BanditSettings

    def make(self, steps: Steps | None = None) -> BasePruner:
        assert isinstance(self.settings, BanditSettings)
        return _BanditPruner(self.settings)


class _BanditPruner(BasePruner):
    def __init__(self, settings: BanditSettings) -> None:
        self._settings = settings

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        if trial.last_step is None:
            return False
        value, others = trial.intermediate_values[trial.last_step], values_at(study, trial, trial.last_step)
        if math.isnan(value) or not others:
            return math.isnan(value)
        if study.direction == StudyDirection.MAXIMIZE:
            return value < self._limit(max(others), maximize=True)
        return value > self._limit(min(others), maximize=False)

    def _limit(self, best: float, *, maximize: bool) -> float:
        """The worst value that continues."""
        if self._settings.slack_amount is not None:
            return best - self._settings.slack_amount if maximize else best + self._settings.slack_amount
        assert self._settings.slack_factor is not None
        ratio = 1.0 + self._settings.slack_factor
        # The slack is on the worse side, whatever the sign of the metric.
        return best / ratio if (best > 0) == maximize else best * ratio

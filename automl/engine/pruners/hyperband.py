"""Successive halving with several first rungs at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from optuna.pruners import HyperbandPruner
from pydantic import Field, model_validator

from automl.engine.pruners.base import Pruner, PrunerSettings, among, first_rung
from automl.engine.trial.steps import Steps
from automl.validation_errors import problem_at

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study

__all__ = ["Hyperband"]


class HyperbandSettings(PrunerSettings):
    min_resource: int | None = Field(
        default=None,
        ge=1,
        description="step of the earliest rung, 100 to a fold; null: the first fold, or a ninth of a single one",
    )
    max_resource: int | None = Field(
        default=None,
        ge=1,
        description="last step of a whole trial; null: the end of its last fold, or that of the trials that completed",
    )
    reduction_factor: int = Field(default=3, ge=2, description="the best 1/factor of each rung continue")

    @model_validator(mode="after")
    def _check(self) -> Self:
        first, last = self.min_resource, self.max_resource
        if first is not None and last is not None and last <= first:
            reason = f"{last} must be above min_resource ({first})"
            raise problem_at(("max_resource",), reason)
        return self


class Hyperband(Pruner):
    """Hyperband (Li et al. 2018, JMLR 18), asynchronous: a trial's number decides on its bracket.

    Where the length of a trial is not given, none is stopped before one has completed.
    """

    name = "hyperband"
    Settings = HyperbandSettings

    def make(self, steps: Steps | None = None) -> BasePruner:
        assert isinstance(self.settings, HyperbandSettings)
        factor = self.settings.reduction_factor
        last = self.settings.max_resource
        if last is None:
            last = None if steps is None else steps.whole
        else:
            steps = Steps(last, part=last) if steps is None else replace(steps, whole=last)
        return _Brackets(
            min_resource=self.settings.min_resource or first_rung(steps, factor),
            max_resource="auto" if last is None else last,
            reduction_factor=factor,
        )


class _Brackets(HyperbandPruner):
    """Optuna's bracket asks the storage for its trials; this one the study, which may leave some out."""

    def _create_bracket_study(self, study: Study, bracket_id: int) -> Study:
        return among(study, lambda trial: self._get_bracket_id(study, trial) == bracket_id)

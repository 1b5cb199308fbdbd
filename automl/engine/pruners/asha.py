"""Asynchronous successive halving, the stopping variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from automl.engine.pruners.base import Pruner, PrunerSettings, first_rung

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

    from automl.engine.trial.steps import Steps

__all__ = ["AsynchronousHalving"]


class HalvingSettings(PrunerSettings):
    min_resource: int | None = Field(
        default=None,
        ge=1,
        description="step of the first rung, 100 to a fold; null: the first fold, or a ninth of a single one",
    )
    reduction_factor: int = Field(default=3, ge=2, description="the best 1/factor of each rung continue")


class AsynchronousHalving(Pruner):
    """ASHA (Li et al. 2020, MLSys, section 3), stopping variant: a trial runs on until a rung stops it."""

    name = "asha"
    Settings = HalvingSettings

    def make(self, steps: Steps | None = None) -> BasePruner:
        from optuna.pruners import SuccessiveHalvingPruner

        assert isinstance(self.settings, HalvingSettings)
        factor = self.settings.reduction_factor
        return SuccessiveHalvingPruner(
            min_resource=self.settings.min_resource or first_rung(steps, factor), reduction_factor=factor
        )

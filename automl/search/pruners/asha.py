"""Asynchronous successive halving, the stopping variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from automl.search.pruners.base import Pruner, PrunerSettings

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

__all__ = ["AsynchronousHalving"]


class HalvingSettings(PrunerSettings):
    min_resource: int = Field(default=100, ge=1, description="step of the first rung; a fold is 100 steps")
    reduction_factor: int = Field(default=3, ge=2, description="the best 1/factor of each rung go on")


class AsynchronousHalving(Pruner):
    """ASHA (Li et al. 2020, MLSys, section 3), stopping variant: a trial runs on until a rung stops it."""

    name = "asha"
    Settings = HalvingSettings

    def make(self) -> BasePruner:
        from optuna.pruners import SuccessiveHalvingPruner

        assert isinstance(self.settings, HalvingSettings)
        return SuccessiveHalvingPruner(
            min_resource=self.settings.min_resource, reduction_factor=self.settings.reduction_factor
        )

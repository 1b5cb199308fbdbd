"""Successive halving with several first rungs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from automl.mistakes import problem_at
from automl.search.pruners.base import Pruner, PrunerSettings

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

__all__ = ["Hyperband"]


class HyperbandSettings(PrunerSettings):
    min_resource: int = Field(default=100, ge=1, description="step of the earliest rung; a fold is 100 steps")
    max_resource: int | None = Field(
        default=None, ge=1, description="last step of a whole trial; null: that of the trials that completed"
    )
    reduction_factor: int = Field(default=3, ge=2, description="the best 1/factor of each rung go on")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_resource is not None and self.max_resource <= self.min_resource:
            reason = f"{self.max_resource} must be above min_resource ({self.min_resource})"
            raise problem_at(("max_resource",), reason)
        return self


class Hyperband(Pruner):
    """Hyperband (Li et al. 2018, JMLR 18), asynchronous: a trial's number decides on its bracket.

    Without `max_resource`, none is stopped before one has completed.
    """

    name = "hyperband"
    Settings = HyperbandSettings

    def make(self) -> BasePruner:
        from optuna.pruners import HyperbandPruner

        assert isinstance(self.settings, HyperbandSettings)
        return HyperbandPruner(
            min_resource=self.settings.min_resource,
            max_resource="auto" if self.settings.max_resource is None else self.settings.max_resource,
            reduction_factor=self.settings.reduction_factor,
        )

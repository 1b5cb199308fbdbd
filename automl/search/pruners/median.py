"""Stop what is worse than half of the others were at the same step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from automl.search.pruners.base import Pruner, PrunerSettings

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

__all__ = ["MedianStopping"]


class MedianSettings(PrunerSettings):
    n_startup_trials: int = Field(default=5, ge=0, description="trials that must complete before any is stopped")
    n_min_trials: int = Field(
        default=4, ge=1, description="trials that must have reported at a step to be compared with"
    )


class MedianStopping(Pruner):
    """The median stopping rule (Golovin et al. 2017, KDD, section 3.2.2)."""

    name = "median"
    Settings = MedianSettings

    def make(self, steps: int | None = None) -> BasePruner:
        from optuna.pruners import MedianPruner

        assert isinstance(self.settings, MedianSettings)
        return MedianPruner(
            n_startup_trials=self.settings.n_startup_trials, n_warmup_steps=0, n_min_trials=self.settings.n_min_trials
        )

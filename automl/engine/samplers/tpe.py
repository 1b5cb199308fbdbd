"""Tree-structured Parzen estimator over a bounded window of trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from automl.engine.samplers.base import Sampler
from automl.options import Options

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

__all__ = ["AutoSearch", "TreeParzen"]


class TreeParzenSettings(Options):
    n_startup_trials: int = Field(default=10, ge=1, description="trials of an algorithm drawn at random first")
    n_ei_candidates: int = Field(default=24, ge=1, description="candidates compared at each ask")
    window: int = Field(default=1_000, ge=20, description="trials of an algorithm that are modelled at most")


class TreeParzen(Sampler):
    """Multivariate TPE (Bergstra et al. 2011, NeurIPS 24; Falkner et al. 2018, ICML 80) with the constant liar."""

    name = "tpe"
    Settings = TreeParzenSettings

    def __init__(self, settings: Options) -> None:
        super().__init__(settings)
        assert isinstance(settings, TreeParzenSettings)
        self._settings = settings
        self.window = settings.window

    def make(self, seed: int) -> BaseSampler:
        from optuna.samplers import TPESampler

        return TPESampler(
            seed=seed,
            multivariate=True,
            constant_liar=True,
            n_startup_trials=self._settings.n_startup_trials,
            n_ei_candidates=self._settings.n_ei_candidates,
        )


class AutoSearch(TreeParzen):
    """The search's own choice: TPE within the algorithm that promises the largest gain per second."""

    name = "auto"

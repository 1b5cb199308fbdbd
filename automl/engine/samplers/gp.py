"""Bayesian optimization with a Gaussian process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from automl.engine.samplers.base import Sampler
from automl.options import Options

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

__all__ = ["GaussianProcess"]


class GaussianProcessSettings(Options):
    n_startup_trials: int = Field(default=10, ge=1, description="trials of an algorithm drawn at random first")
    window: int = Field(
        default=200, ge=20, description="trials of an algorithm that are modelled at most: the time grows with the cube"
    )


class GaussianProcess(Sampler):
    """A Gaussian process and the logarithm of the expected improvement, by Optuna's GPSampler.

    Jones et al. 1998, J. Global Optimization 13; Ament et al. 2023, NeurIPS 36. For few and expensive trials: an ask
    takes a second where TPE's takes milliseconds. Conditional parameters are drawn at random.
    """

    name = "gp"
    takes_pruned = False
    Settings = GaussianProcessSettings
    requires = "torch"

    def __init__(self, settings: Options) -> None:
        super().__init__(settings)
        assert isinstance(settings, GaussianProcessSettings)
        self._settings = settings
        self.window = settings.window

    def make(self, seed: int) -> BaseSampler:
        from optuna.samplers import GPSampler

        return GPSampler(seed=seed, n_startup_trials=self._settings.n_startup_trials, warn_independent_sampling=False)

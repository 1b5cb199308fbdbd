"""Covariance matrix adaptation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from optuna._transform import _SearchSpaceTransform
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, CmaEsSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState
from pydantic import Field

from automl.engine.samplers.base import Sampler
from automl.options import Options

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["CovarianceAdaptation"]


class CovarianceSettings(Options):
    n_startup_trials: int = Field(default=10, ge=1, description="trials of an algorithm drawn at random first")
    population: int | None = Field(default=None, ge=2, description="trials of a generation; null: 4 + 3 ln(parameters)")


class CovarianceAdaptation(Sampler):
    """CMA-ES (Hansen 2016, arXiv:1604.00772) over the numeric parameters; choices and conditional ones at random."""

    name = "cmaes"
    takes_pruned = False
    Settings = CovarianceSettings
    requires = "cmaes"

    def make(self, seed: int) -> BaseSampler:
        assert isinstance(self.settings, CovarianceSettings)
        return _Replayed(seed, self.settings.n_startup_trials, self.settings.population)


class _Replayed(CmaEsSampler):
    """Optuna's, but with its state worked out from the trials at every ask.

    Optuna keeps the state in the trials' system attributes, which a resumed search does not have. Here the best of the
    first trials is the initial mean, and those after them, in the order of their numbers, are the generations. With one
    worker these are exactly the ones that were sampled; with several, the last trials of a generation may have been
    sampled from the distribution before.
    """

    def __init__(self, seed: int, startup: int, population: int | None) -> None:
        super().__init__(seed=seed, n_startup_trials=startup, warn_independent_sampling=False)
        self._ask_seed, self._startup, self._population = seed, startup, population

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        from cmaes import CMA

        completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not search_space or len(completed) < self._startup:
            return {}
        transform = _SearchSpaceTransform(search_space, transform_0_1=True)
        sign = 1.0 if study.direction == StudyDirection.MINIMIZE else -1.0
        told = [
            (transform.transform({name: t.params[name] for name in search_space}), sign * float(t.value or 0.0))
            for t in completed
        ]
        first, later = told[: self._startup], told[self._startup :]
        optimizer = CMA(
            mean=min(first, key=lambda solution: solution[1])[0],
            sigma=1 / 6,  # Optuna's: a sixth of the range
            bounds=transform.bounds,
            seed=self._ask_seed,
            n_max_resampling=10 * len(search_space),
            population_size=self._population,
        )
        size = optimizer.population_size
        for start in range(0, len(later) - size + 1, size):
            optimizer.tell(later[start : start + size])
        sampled: dict[str, Any] = transform.untransform(np.asarray(optimizer.ask()))
        return sampled

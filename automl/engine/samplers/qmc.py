"""Quasi-random search: points that fill the space more evenly than random ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from optuna._transform import _SearchSpaceTransform
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from pydantic import Field

from automl.engine.samplers.base import Ask, Sampler
from automl.options import Options

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["QuasiRandom"]

_BLOCK = 64
"""Points that are made at once; a power of two, as the balance of a Sobol sequence wants."""


class QuasiRandomSettings(Options):
    sequence: Literal["sobol", "halton"] = Field(default="sobol", description="which low-discrepancy sequence")


class QuasiRandom(Sampler):
    """A scrambled low-discrepancy sequence for each algorithm (Bergstra and Bengio 2012, JMLR 13, section 4).

    Sobol's with Owen's scrambling (Matousek 1998, J. Complexity 14), or Halton's (Owen 2017, arXiv:1706.02808), by
    SciPy's engines, which Optuna's QMCSampler uses, too. That one counts its points in the study and must have seen a
    whole trial first. Here a point is known by the algorithm's seed and how many of its trials there were before, and a
    parameter by its place among all of the algorithm's: conditional ones have a dimension of their own.
    """

    name = "qmc"
    Settings = QuasiRandomSettings
    learns = False
    window = 0

    def __init__(self, settings: Options) -> None:
        super().__init__(settings)
        self._points: dict[tuple[int, int], np.ndarray] = {}

    def make(self, seed: int) -> BaseSampler:
        return self.at(Ask(seed, stream=seed))

    def at(self, ask: Ask) -> BaseSampler:
        point = self._point(ask.stream, len(ask.names), ask.index) if ask.names else ()
        return _Point(dict(zip(ask.names, map(float, point), strict=True)), ask.seed)

    def _point(self, stream: int, dimensions: int, index: int) -> np.ndarray:
        points = self._points.get((stream, dimensions))
        if points is None or index >= len(points):
            count = _BLOCK
            while count <= index:
                count *= 2
            points = self._points[stream, dimensions] = self._first(count, dimensions, stream)
        row: np.ndarray = points[index]
        return row

    def _first(self, count: int, dimensions: int, stream: int) -> np.ndarray:
        """The sequence's first `count` points, shape (count, dimensions), in [0, 1)."""
        from scipy.stats import qmc

        assert isinstance(self.settings, QuasiRandomSettings)
        engine = qmc.Sobol if self.settings.sequence == "sobol" else qmc.Halton
        return np.asarray(engine(dimensions, scramble=True, rng=np.random.default_rng(stream)).random(count))


class _Point(BaseSampler):
    """Draws each parameter from one point of the unit cube.

    Args:
        coordinates: by parameter.
        seed: for parameters that are not among them.
    """

    def __init__(self, coordinates: dict[str, float], seed: int) -> None:
        self._coordinates, self._random = coordinates, np.random.default_rng(seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        part = self._coordinates.get(param_name)
        part = float(self._random.random()) if part is None else part
        if isinstance(param_distribution, CategoricalDistribution):
            return param_distribution.choices[int(part * len(param_distribution.choices))]
        transform = _SearchSpaceTransform({param_name: param_distribution}, transform_0_1=True)
        return transform.untransform(np.array([part]))[param_name]

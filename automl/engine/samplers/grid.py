"""Grid search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from automl.engine.samplers.base import Sampler
from automl.engine.space.parameter import BaseParameter, CategoricalParameter, FloatParameter
from automl.engine.space.space import AlgorithmSpace, ParameterSpace
from automl.errors import ConfigError
from automl.options import Options

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

__all__ = ["GridSearch"]

_LARGEST = 10_000
"""Configurations of one algorithm: more could neither be held nor be tried."""


class GridSettings(Options):
    points: int = Field(default=5, ge=2, description="values of each parameter that has infinitely many")


class GridSearch(Sampler):
    """Every configuration once, in an order that the seed shuffles; then the search space is exhausted.

    Choices, whole numbers and stepped ranges are taken unchanged. A continuous range is laid out by `points` values
    from end to end, evenly on its own scale; a normal parameter by the middles of `points` equally probable intervals.
    """

    name = "grid"
    Settings = GridSettings
    learns = False
    window = 0

    def make(self, seed: int) -> BaseSampler:
        """Refuse: no configuration of a grid is drawn.

        Raises:
            NotImplementedError: a grid is gone through, not drawn from.
        """
        raise NotImplementedError("a grid is gone through by its layout, not drawn from")

    def layout(self, space: AlgorithmSpace) -> AlgorithmSpace:
        assert isinstance(self.settings, GridSettings)
        finite = {name: _laid_out(parameter, self.settings.points) for name, parameter in space.params.items()}
        laid_out = space.model_copy(update={"params": ParameterSpace.model_validate(finite)})
        size = laid_out.size()
        assert size is not None
        if size > _LARGEST:
            widest = max(finite, key=lambda name: finite[name].cardinality() or 0)
            raise ConfigError(
                f"the grid of {space.estimator or 'an algorithm'} has {size:,} configurations, and {_LARGEST:,} is "
                f"the most: give ranges a wider step, fewer choices or fewer points (parameter {widest!r} has "
                f"{finite[widest].cardinality():,} values), or take another sampler",
                key="search.sampler",
            )
        return laid_out


def _laid_out(parameter: BaseParameter, points: int) -> BaseParameter:
    """`parameter` with countably many values. Conditions of others never name a continuous one: they still hold."""
    if parameter.cardinality() is not None:
        return parameter
    values = (
        _ends_and_between(parameter, points) if isinstance(parameter, FloatParameter) else _middles(parameter, points)
    )
    return CategoricalParameter(choices=tuple(dict.fromkeys(values)), when=parameter.when)


def _ends_and_between(parameter: FloatParameter, points: int) -> Iterator[float]:
    low, high = parameter.low, parameter.high
    for index in range(points):
        part = index / (points - 1)
        value = low * (high / low) ** part if parameter.log else low + (high - low) * part
        yield min(max(value, low), high)


def _middles(parameter: BaseParameter, points: int) -> Iterator[Any]:
    """For what is asked as a probability."""
    for index in range(points):
        yield parameter.decode((index + 0.5) / points)

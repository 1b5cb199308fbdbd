"""Configurations as points: every parameter scaled to its range, for models of what configurations need."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from automl.engine.space.base import json_text

if TYPE_CHECKING:
    from automl.engine.space.base import BaseParameter
    from automl.engine.space.space import AlgorithmSpace

__all__ = ["ConfigEncoder"]

_Column = tuple[int, Callable[[Any], list[float]]]


class ConfigEncoder:
    """From configurations of one algorithm to points.

    A number goes to [-0.5, 0.5], by its logarithm where its range is logarithmic; a choice to one coordinate per
    choice, 0 or 1; what a configuration lacks, or has from outside the space, to zeros.
    """

    def __init__(self, space: AlgorithmSpace) -> None:
        self._columns = {name: _column(parameter) for name, parameter in space.params.items()}

    def point(self, params: Mapping[str, Any]) -> list[float]:
        point: list[float] = []
        for name, (width, scale) in self._columns.items():
            try:
                point.extend(scale(params[name]))
            except (KeyError, ValueError):
                point.extend([0.0] * width)
        return point


def _column(parameter: BaseParameter) -> _Column:
    """Return the number of coordinates of a parameter, and the function that makes them of its real value."""
    match parameter.distribution():
        case CategoricalDistribution():
            texts = {json_text(value): index for index, value in enumerate(parameter.values())}

            def choice(value: Any) -> list[float]:
                coordinates = [0.0] * len(texts)
                coordinates[texts[json_text(value)]] = 1.0
                return coordinates

            return len(texts), choice
        case IntDistribution(low=low, high=high, log=log) | FloatDistribution(low=low, high=high, log=log):
            begin, end = (math.log(low), math.log(high)) if log else (low, high)

            def number(value: Any) -> list[float]:
                asked = parameter.encode(value)
                return [((math.log(asked) if log else asked) - begin) / (end - begin) - 0.5]

            return 1, number
    raise TypeError(f"{type(parameter).__name__} has no distribution that is known here")

"""Configurations near a good one, and configurations from anywhere."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from automl.engine.samplers.uniform import UniformSampler
from automl.engine.space.parameter import BaseParameter
from automl.engine.space.space import AlgorithmSpace

__all__ = ["drawn", "perturbed"]


def drawn(space: AlgorithmSpace, seed: int) -> dict[str, Any]:
    """A configuration of which every parameter is drawn from its range."""
    uniform = UniformSampler(seed)
    return space.params.build(lambda _, parameter: _draw(parameter, uniform))


def perturbed(
    space: AlgorithmSpace, params: Mapping[str, Any], seed: int, *, factors: Sequence[float], resample: float
) -> dict[str, Any]:
    """A configuration near `params`: Jaderberg et al. 2017, arXiv:1711.09846, section 4.1.1, "perturb" and "resample".

    Each number is multiplied by one of `factors` and moved into its range, on a grid by one step at least. Choices
    stay: they have no neighbours. With probability `resample` a parameter, number or choice, is drawn anew, and so is
    one that begins to exist because another has changed. Parameters that are inherited keep their values.

    Args:
        params: real values, a configuration of `space`.
    """
    draw, uniform = random.Random(seed), UniformSampler(seed)

    def choose(name: str, parameter: BaseParameter) -> Any:
        if name in params and name in space.inherited:
            return params[name]
        if name not in params or draw.random() < resample:
            return _draw(parameter, uniform)
        return parameter.scaled(params[name], draw.choice(factors))

    return space.params.build(choose)


def _draw(parameter: BaseParameter, uniform: UniformSampler) -> Any:
    return parameter.decode(uniform.draw(parameter.distribution()))

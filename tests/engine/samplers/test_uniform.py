"""Uniform draws stay in range, reach every value, and repeat."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from automl.engine.samplers.uniform import UniformSampler

DISTRIBUTIONS = [
    FloatDistribution(-2.0, 3.0),
    FloatDistribution(1e-5, 10.0, log=True),
    FloatDistribution(0.0, 1.0, step=0.1),
    IntDistribution(1, 9),
    IntDistribution(0, 20, step=5),
    IntDistribution(1, 1000, log=True),
    CategoricalDistribution(["a", None, True]),
]


def draw(distribution: BaseDistribution, seed: int) -> Any:
    return UniformSampler(seed).sample_independent(None, None, "x", distribution)  # type: ignore[arg-type]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=str)
@given(seed=st.integers(0, 2**31))
def test_every_draw_is_in_range(distribution: BaseDistribution, seed: int) -> None:
    value = draw(distribution, seed)
    assert distribution._contains(distribution.to_internal_repr(value))
    assert draw(distribution, seed) == value


@pytest.mark.parametrize("distribution", [d for d in DISTRIBUTIONS if not isinstance(d, FloatDistribution)], ids=str)
def test_every_value_of_a_small_range_comes_about_equally_often(distribution: BaseDistribution) -> None:
    if getattr(distribution, "log", False):
        pytest.skip("a logarithmic range prefers small values")
    counts = Counter(draw(distribution, seed) for seed in range(3000))
    expected = 3000 / len(counts)
    assert len(counts) == {1: 9, 5: 5}.get(getattr(distribution, "step", 0), 3)
    assert all(0.75 * expected < count < 1.25 * expected for count in counts.values())


def test_a_logarithmic_range_is_uniform_in_the_exponent() -> None:
    values = [math.log10(draw(FloatDistribution(1e-4, 1.0, log=True), seed)) for seed in range(4000)]
    quarters = Counter(int(-value) for value in values)
    assert all(850 < quarters[quarter] < 1150 for quarter in range(4))

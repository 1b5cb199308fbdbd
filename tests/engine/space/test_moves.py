"""Moving within a range: the nearest value, a scaled one, where to begin; configurations built value by value."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from automl.engine.space.parameter import BaseParameter, Parameter
from automl.engine.space.parameter_space import ParameterSpace


def parameter(**definition: Any) -> BaseParameter:
    return TypeAdapter(Parameter).validate_python(definition)


RANGES = [
    parameter(type="float", low=-1.0, high=3.0),
    parameter(type="float", low=1e-5, high=1.0, log=True),
    parameter(type="float", low=0.0, high=1.0, step=0.25),
    parameter(type="float", low=0.5, high=8.0, step=0.5, log=True),
    parameter(type="int", low=-2, high=9),
    parameter(type="int", low=1, high=512, log=True),
    parameter(type="int", low=8, high=64, step=8),
    parameter(type="normal", mu=1.0, sigma=2.0),
    parameter(type="normal", mu=-3.0, sigma=1.0, log=True),
    parameter(type="normal", mu=10.0, sigma=3.0, step=0.5),
]


@pytest.mark.parametrize("given_range", RANGES, ids=repr)
@given(value=st.one_of(st.floats(-1e9, 1e9), st.integers(-(10**9), 10**9)))
def test_the_nearest_value_can_be_had_and_is_its_own_nearest(given_range: BaseParameter, value: float) -> None:
    near = given_range.nearest(value)
    assert given_range.contains(near)
    assert given_range.nearest(near) == pytest.approx(near, rel=1e-6)


@pytest.mark.parametrize("given_range", RANGES, ids=repr)
@given(value=st.floats(-1e3, 1e3), factor=st.sampled_from([0.5, 0.8, 1.2, 2.0]))
def test_a_scaled_value_can_be_had(given_range: BaseParameter, value: float, factor: float) -> None:
    assert given_range.contains(given_range.scaled(given_range.nearest(value), factor))


@pytest.mark.parametrize(
    ("definition", "value", "near"),
    [
        ({"type": "float", "low": 0, "high": 1}, 1.7, 1.0),
        ({"type": "float", "low": 0, "high": 1, "step": 0.25}, 0.6, 0.5),
        ({"type": "int", "low": 1, "high": 10}, 12, 10),
        ({"type": "int", "low": 1, "high": 10}, 3.4, 3),
        ({"type": "normal", "mu": 0, "sigma": 1, "step": 0.5}, 0.7, 0.5),
        ({"type": "categorical", "choices": [1, 2]}, 2.0, 2),
    ],
)
def test_what_is_nearest(definition: dict[str, Any], value: Any, near: Any) -> None:
    assert parameter(**definition).nearest(value) == near


@pytest.mark.parametrize(
    "definition", [{"type": "float", "low": 0, "high": 1}, {"type": "normal", "mu": 0, "sigma": 1}]
)
@pytest.mark.parametrize("value", ["0.5", None, True, math.nan])
def test_what_is_no_number_is_near_to_none(definition: dict[str, Any], value: Any) -> None:
    with pytest.raises(ValueError, match=r"is not a number|is close to nothing"):
        parameter(**definition).nearest(value)


def test_a_choice_that_is_none_is_near_to_none() -> None:
    with pytest.raises(ValueError, match=r'"c" is none of "a", "b"'):
        parameter(type="categorical", choices=["a", "b"]).nearest("c")


@pytest.mark.parametrize(
    ("definition", "value", "factor", "scaled"),
    [
        ({"type": "float", "low": 1e-4, "high": 1, "log": True}, 0.01, 1.2, 0.012),
        ({"type": "float", "low": 0, "high": 1}, 0.9, 1.2, 1.0),
        ({"type": "float", "low": 0, "high": 1}, 0.0, 1.2, 0.2),  # no factor moves zero: a fifth of the range
        ({"type": "int", "low": 0, "high": 9}, 2, 1.2, 3),  # 2.4 would be 2 again
        ({"type": "int", "low": 0, "high": 9}, 2, 0.8, 1),
        ({"type": "int", "low": 0, "high": 9}, 0, 1.2, 2),
        ({"type": "int", "low": -9, "high": 9}, -2, 1.2, -3),
        ({"type": "int", "low": 0, "high": 1}, 0, 1.2, 1),
        ({"type": "int", "low": 8, "high": 64, "step": 8}, 16, 0.8, 8),
        ({"type": "normal", "mu": 1, "sigma": 1, "step": 1.0}, 2.0, 1.2, 3.0),
        ({"type": "categorical", "choices": [1, 2, 4]}, 2, 1.2, 2),
    ],
)
def test_what_a_factor_makes_of_a_value(definition: dict[str, Any], value: Any, factor: float, scaled: Any) -> None:
    assert parameter(**definition).scaled(value, factor) == pytest.approx(scaled)


@pytest.mark.parametrize(
    ("definition", "start"),
    [
        ({"type": "float", "low": 0, "high": 1}, 0.5),
        ({"type": "float", "low": 1e-4, "high": 1, "log": True}, 0.01),
        ({"type": "int", "low": 1, "high": 100, "log": True}, 10),
        ({"type": "int", "low": 1, "high": 9, "default": 2}, 2),
        ({"type": "normal", "mu": 3, "sigma": 1}, 3.0),
        ({"type": "categorical", "choices": ["a", None]}, "a"),
        ({"type": "categorical", "choices": ["a", None], "default": None}, None),
    ],
)
def test_where_to_begin(definition: dict[str, Any], start: Any) -> None:
    assert parameter(**definition).start == (pytest.approx(start) if isinstance(start, float) else start)


def test_a_built_configuration_has_the_parameters_that_exist() -> None:
    space = ParameterSpace.model_validate(
        {
            "gamma": {"type": "float", "low": 0, "high": 1, "when": {"kernel": ["rbf"]}},
            "kernel": {"type": "categorical", "choices": ["linear", "rbf"]},
        }
    )
    assert space.build(lambda name, parameter: parameter.start) == {"kernel": "linear"}
    rbf = {"kernel": "rbf", "gamma": 1}
    assert space.build(lambda name, parameter: rbf[name]) == {"kernel": "rbf", "gamma": 1.0}

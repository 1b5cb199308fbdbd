"""Configurations near a good one stay in the space, and move."""

from __future__ import annotations

from typing import Any

import pytest

from automl.engine.samplers.perturb import drawn, perturbed
from automl.engine.space.space import AlgorithmSpace

SPACE = AlgorithmSpace.model_validate(
    {
        "params": {
            "rate": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
            "share": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.1},
            "depth": {"type": "int", "low": 1, "high": 12},
            "noise": {"type": "normal", "mu": -2.0, "sigma": 1.0, "log": True},
            "kernel": {"type": "categorical", "choices": ["linear", "rbf", None]},
            "gamma": {"type": "float", "low": 0.1, "high": 10.0, "log": True, "when": {"kernel": ["rbf"]}},
        }
    }
)
FACTORS = (0.8, 1.2)


def near(params: dict[str, Any], seed: int, resample: float = 0.0) -> dict[str, Any]:
    return perturbed(SPACE, params, seed, factors=FACTORS, resample=resample)


def assert_complete(params: dict[str, Any]) -> None:
    SPACE.encode(params, "")  # raises if a value or a parameter is not of the space
    assert {name for name in SPACE.params if SPACE.params.active(name, params)} == params.keys()


@pytest.mark.parametrize("resample", [0.0, 0.25, 1.0])
def test_a_long_walk_stays_in_the_space(resample: float) -> None:
    params = drawn(SPACE, seed=1)
    for seed in range(300):
        params = near(params, seed, resample)
        assert_complete(params)


def test_drawn_configurations_are_complete_and_differ() -> None:
    found = [drawn(SPACE, seed) for seed in range(50)]
    for params in found:
        assert_complete(params)
    assert {params["kernel"] for params in found} == {"linear", "rbf", None}
    assert drawn(SPACE, 7) == found[7]


def test_numbers_move_by_a_factor_and_choices_stay() -> None:
    params = {"rate": 0.01, "share": 0.5, "depth": 5, "noise": 0.1, "kernel": "rbf", "gamma": 1.0}
    for seed in range(20):
        moved = near(params, seed)
        assert moved["kernel"] == "rbf"
        assert moved["depth"] in (4, 6)
        for name, value in params.items():
            if isinstance(value, float):
                assert any(moved[name] == pytest.approx(value * factor) for factor in FACTORS)


def test_a_parameter_that_begins_to_exist_is_drawn() -> None:
    params = {"rate": 0.01, "share": 0.5, "depth": 5, "noise": 0.1, "kernel": "linear"}
    changed = [moved for seed in range(50) if (moved := near(params, seed, resample=1.0))["kernel"] == "rbf"]
    assert len({moved["gamma"] for moved in changed}) == len(changed) > 5


def test_each_parameter_is_drawn_anew_as_often_as_it_should_be() -> None:
    params = {"rate": 0.01, "share": 0.5, "depth": 5, "noise": 0.1, "kernel": "linear"}
    rates = [near(params, seed, resample=0.25)["rate"] for seed in range(400)]
    anew = sum(not any(rate == pytest.approx(0.01 * factor) for factor in FACTORS) for rate in rates)
    assert 65 <= anew <= 135  # 100 expected; four standard deviations of the binomial are 35


def test_what_is_inherited_stays() -> None:
    space = SPACE.model_copy(update={"inherited": ("depth", "kernel")})
    params = drawn(space, seed=1)
    for seed in range(2, 22):
        moved = perturbed(space, params, seed, factors=FACTORS, resample=0.5)
        assert moved["depth"] == params["depth"] and moved["kernel"] == params["kernel"]
        assert moved["rate"] != params["rate"]

"""Search spaces written with ray.tune are accepted as they are."""

from __future__ import annotations

from typing import Any

import pytest

from automl.engine.space.load import load_parameters
from automl.errors import SpaceError

tune: Any = pytest.importorskip("ray.tune")


@pytest.fixture(scope="module")
def definitions() -> dict[str, Any]:
    space = load_parameters(
        {
            "uniform": tune.uniform(0.5, 2),
            "quniform": tune.quniform(0.2, 1.0, 0.2),
            "loguniform": tune.loguniform(1e-4, 1),
            "qloguniform": tune.qloguniform(0.1, 10, 0.1),
            "randn": tune.randn(3, 2),
            "qrandn": tune.qrandn(0, 1, 0.5),
            "randint": tune.randint(1, 5),
            "lograndint": tune.lograndint(1, 100),
            "qrandint": tune.qrandint(3, 20, 5),
            "choice": tune.choice(["a", None, [1, 2]]),
            "grid": tune.grid_search([16, 32]),
            "single": tune.randint(3, 4),
            "ours": {"type": "int", "low": 0, "high": 3},
        }
    )
    return {name: parameter.model_dump(exclude_unset=True) for name, parameter in space.items()}


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        ("uniform", {"type": "float", "low": 0.5, "high": 2.0}),
        ("quniform", {"type": "float", "low": 0.2, "high": 1.0, "step": 0.2}),
        ("loguniform", {"type": "float", "low": 1e-4, "high": 1.0, "log": True}),
        ("qloguniform", {"type": "float", "low": 0.1, "high": 10.0, "log": True, "step": 0.1}),
        ("randn", {"type": "normal", "mu": 3.0, "sigma": 2.0}),
        ("qrandn", {"type": "normal", "mu": 0.0, "sigma": 1.0, "step": 0.5}),
        ("randint", {"type": "int", "low": 1, "high": 4}),
        ("lograndint", {"type": "int", "low": 1, "high": 99, "log": True}),
        ("qrandint", {"type": "int", "low": 5, "high": 20, "step": 5}),
        ("choice", {"type": "categorical", "choices": ("a", None, [1, 2])}),
        ("grid", {"type": "categorical", "choices": (16, 32)}),
        ("single", {"type": "categorical", "choices": (3,)}),
        ("ours", {"type": "int", "low": 0, "high": 3}),
    ],
)
def test_domains(definitions: dict[str, Any], name: str, definition: dict[str, Any]) -> None:
    assert definitions[name] == definition


def test_a_function_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"x: tune\.sample_from"):
        load_parameters({"x": tune.sample_from(lambda: 1)})

"""Parameters: what is refused, and that values go to Optuna and come back unchanged."""

from __future__ import annotations

import math
import statistics
import warnings
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from automl.engine.space.parameter import BaseParameter, Parameter

optuna.logging.set_verbosity(optuna.logging.ERROR)


def parameter(**definition: Any) -> BaseParameter:
    return TypeAdapter(Parameter).validate_python(definition)


def asked(p: BaseParameter, seed: int) -> tuple[Any, Any]:
    """The real value for one ask, and what Optuna stored for it."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Optuna warns about ranges that it has to change
        value = p.suggest(trial, "p")
    return value, trial.params["p"]


numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
positive = st.floats(1e-6, 1e6)


def tenths(n: int) -> float:
    return n / 10


def short_lists(inner: st.SearchStrategy[object]) -> st.SearchStrategy[list[object]]:
    return st.lists(inner, max_size=3)


@st.composite
def definitions(draw: st.DrawFn) -> BaseParameter:
    kind = draw(st.sampled_from(["float", "float_log", "float_step", "int", "int_log", "int_step", "categorical"]))
    if kind.startswith("float"):
        low = draw(positive if kind == "float_log" else st.integers(-1000, 1000).map(tenths))
        width = draw(st.floats(0.5, 1000))
        step = {"step": draw(st.sampled_from([0.1, 0.25, 0.5, 0.3]))} if kind == "float_step" else {}
        return parameter(type="float", low=low, high=low + width, log=kind == "float_log", **step)
    if kind.startswith("int"):
        low = draw(st.integers(1, 50) if kind == "int_log" else st.integers(-50, 50))
        high = low + draw(st.integers(5, 500))
        step = {"step": draw(st.integers(1, 5))} if kind == "int_step" else {}
        return parameter(type="int", low=low, high=high, log=kind == "int_log", **step)
    json = st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=3),
        short_lists,
        max_leaves=4,
    )
    return parameter(type="categorical", choices=draw(st.lists(json, min_size=1, max_size=6, unique_by=repr)))


@given(definitions(), st.integers(0, 2**31))
def test_encode_gives_back_what_optuna_stored(p: BaseParameter, seed: int) -> None:
    value, stored = asked(p, seed)
    encoded = p.encode(value)
    assert encoded == stored
    assert type(encoded) is type(stored)
    assert p.contains(value)


@given(definitions(), st.integers(0, 2**31))
def test_an_enqueued_value_comes_back_as_it_is(p: BaseParameter, seed: int) -> None:
    value, _ = asked(p, seed)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial({"p": p.encode(value)})
    again = p.suggest(study.ask(), "p")
    assert again == value
    assert type(again) is type(value)


@given(
    st.floats(-100, 100),
    st.floats(0.01, 3),
    st.booleans(),
    st.one_of(st.none(), st.sampled_from([0.1, 1.0, 5.0])),
    st.integers(0, 2**31),
)
def test_a_normal_survives_the_way_through_a_probability(
    mu: float, sigma: float, log: bool, step: float | None, seed: int
) -> None:
    p = parameter(type="normal", mu=mu / 10 if log else mu, sigma=sigma, log=log, step=step)
    value, stored = asked(p, seed)
    assert 0 < stored < 1
    assert p.contains(value)
    assert math.isclose(p.canonical(value), value, rel_tol=1e-7, abs_tol=1e-7)


def test_a_normal_has_its_mean_and_deviation() -> None:
    p = parameter(type="normal", mu=3, sigma=2)
    values = [p.decode((k + 0.5) / 2000) for k in range(2000)]
    assert statistics.fmean(values) == pytest.approx(3, abs=1e-6)
    assert statistics.stdev(values) == pytest.approx(2, rel=0.01)  # the grid cuts off the tails


def test_log_with_step_is_asked_without_step_and_rounded() -> None:
    p = parameter(type="float", low=0.5, high=100, log=True, step=0.5)
    distribution = p.distribution()
    assert isinstance(distribution, optuna.distributions.FloatDistribution)
    assert distribution.log
    assert distribution.step is None
    assert {asked(p, seed)[0] % 0.5 for seed in range(20)} == {0.0}


def test_int_log_with_step_stays_on_the_grid() -> None:
    p = parameter(type="int", low=8, high=100, log=True, step=8)
    assert {(asked(p, seed)[0] - 8) % 8 for seed in range(20)} == {0}
    assert p.decode(100) == 96


def test_steps_are_decimal() -> None:
    assert list(parameter(type="float", low=0.1, high=0.5, step=0.1).values()) == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_high_that_no_step_reaches_is_no_value() -> None:
    p = parameter(type="float", low=0.0, high=1.0, step=0.3)
    assert list(p.values()) == [0.0, 0.3, 0.6, 0.9]
    assert not p.contains(1.0)


@pytest.mark.parametrize("choices", [[True, 1, 1.0], [[1, 2], "[1, 2]", None], [{"a": 1}, {"a": 2}], [float("inf"), 1]])
def test_choices_that_optuna_cannot_tell_apart(choices: list[Any]) -> None:
    p = parameter(type="categorical", choices=choices)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for choice in choices:
        study.enqueue_trial({"p": p.encode(choice)})
    got = [p.suggest(study.ask(), "p") for _ in choices]
    assert [repr(value) for value in got] == [repr(choice) for choice in choices]


def test_a_whole_number_means_the_float_among_the_choices() -> None:
    assert parameter(type="categorical", choices=[0.5, 1.0]).encode(1) == 1.0


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"type": "float", "low": 2, "high": 1}, r"low \(2.0\) must be below high \(1.0\)"),
        ({"type": "float", "low": 1, "high": 1}, "below"),
        ({"type": "float", "low": 0, "high": 1, "log": True}, "log scale"),
        ({"type": "int", "low": -3, "high": 1, "log": True}, "log scale"),
        ({"type": "float", "low": 0, "high": 1, "step": 2}, "step"),
        ({"type": "int", "low": 0, "high": 4, "step": 0}, "step"),
        ({"type": "float", "low": 0, "high": 1, "default": 1.5}, "default 1.5 is outside 0.0 to 1.0"),
        ({"type": "int", "low": 0, "high": 9, "step": 3, "default": 4}, "steps of 3"),
        ({"type": "int", "low": 0.5, "high": 9}, "integer"),
        ({"type": "int", "low": True, "high": 9}, "not a number"),
        ({"type": "float", "low": 0, "high": float("inf")}, "finite"),
        ({"type": "categorical", "choices": []}, "at least 1"),
        ({"type": "categorical", "choices": ["a", "b", "a"]}, '"a" more than once'),
        ({"type": "categorical", "choices": [[1], [1]]}, "more than once"),
        ({"type": "categorical", "choices": ["a"], "default": "b"}, 'default "b" is none of "a"'),
        ({"type": "categorical", "choices": [{1, 2}]}, "not a JSON value"),
        ({"type": "categorical", "choices": [float("nan")]}, "nan"),
        ({"type": "normal", "mu": 0, "sigma": 0}, "greater than 0"),
        ({"type": "normal", "mu": 1000, "sigma": 1, "log": True}, "1e300"),
        ({"type": "normal", "mu": 0, "sigma": 1, "default": 9}, "six sigma"),
        ({"type": "float", "low": 0, "high": 1, "when": {"a": []}}, "at least 1"),
    ],
)
def test_refused(definition: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        parameter(**definition)


@pytest.mark.parametrize("value", [True, "1", None, 1.5, -1, 11])
def test_an_int_contains_only_whole_numbers_of_its_range(value: Any) -> None:
    assert not parameter(type="int", low=0, high=10).contains(value)


def test_null_is_a_default_where_it_is_a_choice() -> None:
    assert parameter(type="categorical", choices=[None, "a"], default=None).has_default
    assert not parameter(type="categorical", choices=[None, "a"]).has_default
    assert not parameter(type="categorical", choices=["a"], default=None).has_default


@pytest.mark.parametrize(
    "definition",
    [
        {"type": "categorical", "choices": (None, [1, 2])},
        {"type": "categorical", "choices": (None, "a"), "default": None},
        {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5},
        {"type": "normal", "mu": 0.0, "sigma": 1.0, "log": True},
    ],
)
def test_written_and_read_again_it_is_the_same(definition: dict[str, Any]) -> None:
    p = parameter(**definition)
    again = parameter(**p.model_dump(mode="json"))
    assert again.model_dump(mode="json") == p.model_dump(mode="json")
    assert again.has_default == p.has_default

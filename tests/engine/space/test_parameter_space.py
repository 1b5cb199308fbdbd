"""Conditions, counting and enumeration of configurations."""

from __future__ import annotations

import pickle
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.engine.space.load import load_parameters
from automl.engine.space.parameter_space import ParameterSpace
from automl.errors import SpaceError

KERNELS = {
    "degree": {"type": "int", "low": 2, "high": 4, "when": {"kernel": ["poly"]}},  # before its parent, on purpose
    "kernel": {"type": "categorical", "choices": ["linear", "rbf", "poly"], "default": "rbf"},
    "gamma": {"type": "float", "low": 0.5, "high": 2, "step": 0.5, "default": 1, "when": {"kernel": ["rbf", "poly"]}},
    "shift": {"type": "categorical", "choices": [True, False], "when": {"kernel": ["poly"], "gamma": [0.5, 2]}},
}


def space(definition: dict[str, Any] = KERNELS) -> ParameterSpace:
    return load_parameters(definition)


def new_trial(seed: int = 0, **fixed: Any) -> optuna.Trial:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    if fixed:
        study.enqueue_trial(fixed)
    return study.ask()


def test_configurations_are_those_that_the_conditions_allow() -> None:
    found = list(space().configurations())
    # linear 1, rbf 4 gammas, poly 3 degrees x (2 gammas without shift + 2 with 2 shifts)
    assert len(found) == 1 + 4 + 3 * (2 + 2 * 2)
    assert {"kernel": "linear"} in found
    assert {"kernel": "poly", "degree": 3, "gamma": 2.0, "shift": True} in found
    assert not any(c["kernel"] != "poly" and "degree" in c for c in found)
    assert len({repr(sorted(c.items())) for c in found}) == len(found)


@st.composite
def finite_spaces(draw: st.DrawFn) -> ParameterSpace:
    names = [f"p{i}" for i in range(draw(st.integers(1, 5)))]
    definition: dict[str, Any] = {}
    for index, name in enumerate(names):
        high = draw(st.integers(1, 3))
        definition[name] = {"type": "int", "low": 0, "high": high}
        parents = draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=2)) if index else []
        definition[name]["when"] = {
            parent: draw(st.lists(st.integers(0, definition[parent]["high"]), min_size=1, max_size=2, unique=True))
            for parent in parents
        }
    return space(dict(draw(st.permutations(list(definition.items())))))


@given(finite_spaces())
def test_size_counts_the_configurations(finite: ParameterSpace) -> None:
    assert finite.size() == sum(1 for _ in finite.configurations())


@given(finite_spaces(), st.integers(0, 2**31))
def test_what_is_asked_is_a_configuration_and_encodes_to_what_was_stored(finite: ParameterSpace, seed: int) -> None:
    trial = new_trial(seed)
    params = finite.ask(trial, "a")
    assert params in list(finite.configurations())
    assert finite.encode(params, "a") == trial.params


def test_size_is_found_without_enumerating() -> None:
    wide = {f"p{i}": {"type": "int", "low": 1, "high": 10**9} for i in range(30)}
    assert space(wide).size() == 10**270
    assert space({"x": {"type": "float", "low": 0, "high": 1}}).size() is None
    assert space({}).size() == 1


def test_configurations_of_an_infinite_space_are_refused() -> None:
    with pytest.raises(SpaceError, match="x: takes infinitely many"):
        list(space({"x": {"type": "float", "low": 0, "high": 1}}).configurations())


def test_optuna_sees_prefixed_names_and_only_active_parameters() -> None:
    trial = new_trial(**{"svm.kernel": "linear"})
    assert space().ask(trial, "svm") == {"kernel": "linear"}
    assert set(trial.params) == {"svm.kernel"}


def test_distributions_are_those_of_unconditional_parameters() -> None:
    assert set(space().distributions("svm")) == {"svm.kernel"}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask(fixed_distributions=space().distributions("svm"))
    assert space().ask(trial, "svm")["kernel"] == trial.params["svm.kernel"]


def test_complete_adds_defaults_of_what_exists() -> None:
    assert space().complete() == {"kernel": "rbf", "gamma": 1.0}
    assert space().complete({"kernel": "linear"}) == {"kernel": "linear"}
    assert space().complete({"kernel": "poly", "gamma": 2}) == {"kernel": "poly", "gamma": 2}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"kernal": "rbf"}, "svm.kernal: there is no such parameter; did you mean 'kernel'"),
        ({"kernel": "sigmoid"}, 'svm.kernel: "sigmoid" is none of'),
        ({"kernel": "rbf", "gamma": 3.0}, "svm.gamma: 3.0 is outside 0.5 to 2.0"),
        ({"kernel": "rbf", "degree": 3}, "svm.degree: exists only when kernel is one of"),
        ({"degree": 3}, "svm.degree: exists only when"),
    ],
)
def test_encode_refuses(params: dict[str, Any], said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        space().encode(params, "svm")


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"a": {"type": "int", "low": 0, "high": 1, "when": {"b": [1]}}}, "a.when: names the unknown parameter 'b'"),
        ({"a": {"type": "int", "low": 0, "high": 1, "when": {"a": [1]}}}, "a.when: goes in a circle: a -> a"),
        (
            {
                "a": {"type": "int", "low": 0, "high": 1, "when": {"b": [1]}},
                "b": {"type": "int", "low": 0, "high": 1, "when": {"a": [1]}},
            },
            "goes in a circle: a -> b -> a",
        ),
        (
            {"a": {"type": "int", "low": 0, "high": 1}, "b": {"type": "int", "low": 0, "high": 1, "when": {"a": [2]}}},
            r"b.when.a: lists a value that a cannot have: 2 is outside 0 to 1",
        ),
        (
            {
                "a": {"type": "float", "low": 0, "high": 1},
                "b": {"type": "int", "low": 0, "high": 1, "when": {"a": [0.5]}},
            },
            "countable",
        ),
        ({"a": {"type": "int", "low": 0, "high": 1, "when": {"b": 1}}}, "expected a list, found 1"),
        (
            {"a": {"type": "flaot", "low": 0, "high": 1}},
            "a: expected one of float, int, .*, found 'flaot'; did you mean 'float'",
        ),
        ({"a": {"low": 0, "high": 1}}, "a: needs 'type', one of float, int, categorical, normal"),
        ({"a": 3}, "a: expected a mapping with keys among type, .*found 3"),
        ({"a": {"type": "int", "low": 0, "hihg": 1, "high": 3}}, "a.hihg: unknown key; did you mean 'high'"),
        ({"a": {"type": "int", "low": 0}}, "a.high: is needed"),
    ],
)
def test_definitions_are_refused_with_their_key(definition: dict[str, Any], said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        space(definition)


def test_a_child_of_a_boolean_is_not_a_child_of_one() -> None:
    flags = space(
        {
            "flag": {"type": "categorical", "choices": [True, 1]},
            "child": {"type": "int", "low": 0, "high": 1, "when": {"flag": [True]}},
        }
    )
    assert list(flags.configurations()) == [{"flag": True, "child": 0}, {"flag": True, "child": 1}, {"flag": 1}]


def test_it_is_a_mapping_in_the_order_written_and_pickles() -> None:
    again = pickle.loads(pickle.dumps(space()))
    assert list(again) == list(again.keys()) == ["degree", "kernel", "gamma", "shift"]
    assert "kernel" in again
    assert len(again) == 4
    assert again["kernel"].type == "categorical"
    assert again.size() == space().size()

"""The Pareto front: what no other trial beats in everything."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.engine.trial.contract import Status, TrialResult
from automl.experiment.results.objectives import Objectives
from automl.experiment.results.pareto_front import criteria_of, non_dominated, pareto_front

OBJECTIVES = Objectives(goals={"accuracy": "maximize", "log_loss": "minimize"})


def trial(number: int, value: float, loss: float, seconds: float | None, size: int, **fields: object) -> TrialResult:
    return TrialResult(
        **{
            "number": number,
            "algorithm": "lda",
            "status": Status.COMPLETED,
            "value": value,
            "metrics": {"accuracy": value, "log_loss": loss},
            "predict_latency": seconds,
            "model_size": size,
            **fields,
        }
    )


def numbers(*results: TrialResult) -> list[int]:
    return [result.number for result in pareto_front(results, criteria_of(OBJECTIVES))]


def dominated_by_definition(losses: np.ndarray) -> list[bool]:
    return [any((a <= b).all() and (a < b).any() for a in losses) for b in losses]


# Small integers: many ties, which is where fronts go wrong.
def points_in(dimensions: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(st.integers(0, 4), min_size=dimensions, max_size=dimensions), min_size=1, max_size=40)


points = st.integers(1, 4).flatmap(points_in)


@given(points)
def test_the_front_is_what_nothing_dominates(values: list[list[int]]) -> None:
    losses = np.array(values, dtype=np.float64)
    assert list(~non_dominated(losses)) == dominated_by_definition(losses)


def test_equal_points_stay_together() -> None:
    assert list(non_dominated(np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]]))) == [True, True, False]


def test_unknown_values_are_the_worst_and_no_points_have_no_front() -> None:
    assert list(non_dominated(np.array([[1.0, math.nan], [1.0, 5.0], [0.5, math.nan]]))) == [False, True, True]
    assert list(non_dominated(np.empty((0, 3)))) == []


@pytest.mark.parametrize(("count", "all_on_front"), [(10_000, False), (2_000, True)])
def test_many_trials(count: int, all_on_front: bool) -> None:
    losses = np.random.default_rng(0).uniform(size=(count, 3))
    if all_on_front:
        losses[:, 2] = 2 - losses[:, 0] - losses[:, 1]
    front = non_dominated(losses)
    inside = losses[front]
    assert (front.sum() == count) == all_on_front
    for point in losses[~front][:200]:
        assert ((inside <= point).all(axis=1)).any()


def test_each_objective_can_put_a_trial_on_the_front() -> None:
    best = trial(0, 0.9, 0.3, 0.010, 1000)
    assert numbers(
        best,
        trial(1, 0.8, 0.2, 0.010, 1000),
        trial(2, 0.8, 0.4, 0.005, 1000),
        trial(3, 0.8, 0.4, 0.010, 500),
        trial(4, 0.8, 0.4, 0.010, 1000),
        trial(5, 0.9, 0.3, None, 1000),
    ) == [0, 1, 2, 3]


def test_only_completed_trials_of_full_fidelity_are_on_the_front() -> None:
    assert numbers(
        trial(0, 0.8, 0.4, 0.01, 1000),
        trial(1, 0.9, 0.3, 0.01, 1000, fidelity=0.5),
        trial(2, 0.9, 0.3, 0.01, 1000, status=Status.PRUNED),
    ) == [0]

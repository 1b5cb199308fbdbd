"""Which trials are started: predictions of their time, learned from trials that ended, or did not."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from automl.engine.admission.cost_model import CostModel
from automl.engine.admission.time import Admission
from automl.engine.space.space import AlgorithmSpace
from automl.engine.trial.contract import Status, TrialResult

ROUNDS: dict[str, Any] = {
    "rounds": {"type": "int", "low": 10, "high": 1000, "log": True},
    "kind": {"type": "categorical", "choices": ["slow", "quick"]},
    "extra": {"type": "float", "low": 0.0, "high": 1.0, "when": {"kind": ["slow"]}},
    "shift": {"type": "normal", "mu": 0.0, "sigma": 1.0},
}


def space(cost: float = 1.0, params: dict[str, Any] | None = None) -> AlgorithmSpace:
    return AlgorithmSpace.model_validate({"cost": cost, "params": params or {}})


def result(algorithm: str, seconds: float, status: Status = Status.COMPLETED, **fields: Any) -> TrialResult:
    return TrialResult(number=0, algorithm=algorithm, status=status, seconds=seconds, **fields)


def boosting(count: int, seed: int = 0) -> list[tuple[dict[str, Any], float]]:
    """Configurations, and the seconds that they take: in proportion to the rounds, and to the kind."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        kind = draw.choice(["slow", "quick"])
        params: dict[str, Any] = {"rounds": round(10 ** draw.uniform(1, 3)), "kind": kind, "shift": draw.gauss(0, 1)}
        if kind == "slow":
            params["extra"] = draw.random()
        seconds = params["rounds"] / 100 * (3.0 if kind == "slow" else 1.0) * math.exp(draw.gauss(0, 0.1))
        found.append((params, seconds))
    return found


def test_the_first_trial_is_admitted_as_long_as_there_is_time() -> None:
    admission = Admission({"a": space()})
    assert admission.admits("a", 0.1)
    assert not admission.admits("a", 0.0)


def test_a_known_algorithm_is_admitted_by_its_slowest_recent_trial() -> None:
    admission = Admission({"a": space()})
    for seconds in (1.0, 4.0, 2.0):
        admission.observe(result("a", seconds), {})
    assert admission.admits("a", 5.1)
    assert not admission.admits("a", 4.9)


def test_a_training_that_goes_on_from_another_did_only_the_rest() -> None:
    def generation(number: int, parent: int | None, algorithm: str) -> TrialResult:
        done = result(algorithm, 5.0, fidelity=(number + 1) / 4)
        return done.model_copy(update={"number": number, "parent": parent})

    admission = Admission({"net": AlgorithmSpace(anytime=True), "tree": space()})
    for number, parent in ((0, None), (1, 0), (2, 1)):
        admission.observe(generation(number, parent, "net"), {})
    assert admission.predict("net") == pytest.approx(1.25 * 20.0)  # four quarters of five seconds each
    admission.observe(generation(2, 1, "tree"), {})
    assert admission.predict("tree") == pytest.approx(1.25 * 5.0 / 0.75)  # its fits begin anew


def test_an_unknown_algorithm_is_predicted_from_the_others_declared_costs() -> None:
    admission = Admission({"a": space(), "b": space(cost=10.0)})
    admission.observe(result("a", 2.0), {})
    assert admission.predict("b") == 20.0


def test_failed_trials_teach_nothing_about_time() -> None:
    admission = Admission({"a": space()})
    admission.observe(result("a", 0.001, Status.FAILED), {})
    assert admission.predict("a") is None


def test_seconds_depend_on_the_parameters_once_enough_are_known() -> None:
    admission = Admission({"boosting": space(params=ROUNDS)})
    for params, seconds in boosting(30):
        admission.observe(result("boosting", seconds), params)
    few = {"rounds": 20, "kind": "quick", "shift": 0.0}
    many = {"rounds": 900, "kind": "slow", "extra": 0.5, "shift": 0.0}
    assert admission.admits("boosting", 2.0, few)
    assert not admission.admits("boosting", 2.0, many)
    assert admission.admits("boosting", 2.0), "some configurations would end in time"


def test_a_part_of_the_work_takes_a_part_of_the_time() -> None:
    admission = Admission({"a": space()})
    admission.observe(result("a", 4.0), {})
    assert not admission.admits("a", 2.0)
    assert admission.admits("a", 2.0, fidelity=0.25)


def test_without_a_time_budget_everything_is_admitted() -> None:
    admission = Admission({"boosting": space(params=ROUNDS)})
    for params, seconds in boosting(30):
        admission.observe(result("boosting", 1e6 * seconds), params)
    assert all(admission.admits("boosting", math.inf, params) for params, _ in boosting(30, seed=1))


def test_nine_of_ten_configurations_stay_within_each_bound() -> None:
    model = CostModel(space(params=ROUNDS))
    above = below = known = 0
    for params, seconds in boosting(200):
        predicted = model.predict(params)
        model.observe(params, seconds)
        if predicted is not None:
            known += 1
            above += seconds > predicted.upper
            below += seconds < predicted.lower
    assert known == 195
    assert above / known < 0.15
    assert below / known < 0.15


def test_predictions_depend_on_nothing_but_what_was_observed() -> None:
    models = CostModel(space(params=ROUNDS)), CostModel(space(params=ROUNDS))
    for params, seconds in boosting(20):
        for model in models:
            model.observe(params, seconds)
    for params, _ in boosting(5, seed=1):
        assert models[0].predict(params) == models[1].predict(params)


@pytest.mark.parametrize("status", [Status.TIMED_OUT, Status.CANCELLED, Status.PRUNED])
def test_a_stopped_trial_raises_the_prediction_and_never_lowers_it(status: Status) -> None:
    slow = {"rounds": 900, "kind": "slow", "extra": 0.5, "shift": 0.0}

    def predicted(stopped_after: float) -> float:
        admission = Admission({"boosting": space(params=ROUNDS)})
        for params, seconds in boosting(20):
            admission.observe(result("boosting", seconds), params)
        for _ in range(3):
            admission.observe(result("boosting", stopped_after, status), slow)
        seconds_needed = admission.predict("boosting", slow)
        assert seconds_needed is not None
        return seconds_needed

    assert predicted(0.001) >= 20.0
    assert predicted(100.0) > 100.0


def test_a_pruned_trial_tells_its_whole_time_by_the_share_that_it_did() -> None:
    admission = Admission({"a": space()})
    admission.observe(result("a", 1.0, Status.PRUNED, progress=0.5), {})
    assert not admission.admits("a", 2.0)
    assert admission.admits("a", 2.6)


def test_a_smaller_fidelity_counts_as_a_share_of_the_whole_time() -> None:
    admission = Admission({"a": space()})
    admission.observe(result("a", 1.0, fidelity=0.25), {})
    assert not admission.admits("a", 4.0)
    assert admission.admits("a", 5.1)


def test_an_algorithm_that_ends_in_time_needs_a_fair_share_only() -> None:
    admission = Admission({"a": space()})
    admission.observe(result("a", 8.0), {})
    assert not admission.admits("a", 6.0)
    admission.observe(result("a", 8.0, cut_short=True), {})
    assert admission.admits("a", 6.0)
    assert not admission.admits("a", 4.0)


def test_a_fit_that_lasts_as_long_as_it_is_given_needs_time_for_the_rest_alone() -> None:
    admission = Admission({"net": space(cost=100.0), "a": space()}, allotted={"net"})
    assert admission.admits("net", 1.0), "before anything is known"
    admission.observe(result("a", 5.0), {})
    assert admission.admits("net", 1.0), "whatever its declared cost"
    admission.observe(result("net", 480.0, fit_seconds=476.0, cut_short=True), {})
    assert admission.admits("net", 5.1)
    assert not admission.admits("net", 4.9)


def test_such_a_fit_tells_nothing_about_others() -> None:
    admission = Admission({"net": space(cost=100.0), "a": space()}, allotted={"net"})
    admission.observe(result("net", 480.0, fit_seconds=476.0, cut_short=True), {})
    assert admission.predict("a") is None

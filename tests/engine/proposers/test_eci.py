"""Which algorithm is tried next, and which trials fit the time that is left."""

from __future__ import annotations

from collections import Counter

from automl.engine.proposers.eci import EciSelector
from automl.engine.trial.contract import Status
from automl.engine.trial.objective import Objective


def arms(**costs: float) -> EciSelector:
    return EciSelector(costs, objective=Objective("score"), seed=0, measured=True)


def drawn(choice: EciSelector, *names: str, draws: int = 300) -> Counter[str]:
    return Counter(choice.choose(number, names) for number in range(draws))


def test_untried_algorithms_are_drawn_by_their_declared_cost() -> None:
    counts = drawn(arms(cheap=1.0, dear=20.0), "cheap", "dear")
    assert counts["cheap"] > 10 * counts["dear"] > 0


def test_an_algorithm_that_keeps_improving_is_preferred_to_one_that_stands_still() -> None:
    choice = arms(rising=1.0, flat=1.0)
    for step in range(8):
        choice.observe("rising", Status.COMPLETED, 0.5 + 0.05 * step, 1.0)
        choice.observe("flat", Status.COMPLETED, 0.5, 1.0)
    counts = drawn(choice, "rising", "flat")
    assert counts["rising"] > 4 * counts["flat"]


def test_an_algorithm_far_behind_needs_longer_than_the_leader() -> None:
    choice = arms(leader=1.0, behind=1.0)
    for value in (0.90, 0.91):
        choice.observe("leader", Status.COMPLETED, value, 1.0)
    for value in (0.50, 0.51):
        choice.observe("behind", Status.COMPLETED, value, 1.0)
    assert choice.cost_of_improvement("behind") > 10 * choice.cost_of_improvement("leader")


def test_an_algorithm_that_only_fails_is_given_up_however_quickly_it_fails() -> None:
    choice = arms(works=1.0, fails=1.0)
    choice.observe("works", Status.COMPLETED, 0.9, 1.0)
    for _ in range(10):
        choice.observe("fails", Status.FAILED, None, 0.001)
    assert drawn(choice, "works", "fails")["fails"] < 10


def test_the_draw_depends_on_the_number_alone() -> None:
    assert [arms(a=1, b=1).choose(n, ["a", "b"]) for n in range(20)] == [
        arms(a=1, b=1).choose(n, ["a", "b"]) for n in range(20)
    ]

"""Earlier configurations in a space that is no longer theirs."""

from __future__ import annotations

from typing import Any

import pytest

from automl.engine.proposers.portfolio import Portfolio
from automl.engine.proposers.warm_start import EarlierTrial, WarmStart, fitted
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.engine.study.proposal import Proposal, Proposer, ProposerChain

SPACE = AlgorithmSpace.model_validate(
    {
        "params": {
            "rate": {"type": "float", "low": 0.01, "high": 0.1, "log": True},
            "depth": {"type": "int", "low": 2, "high": 8, "default": 4},
            "kernel": {"type": "categorical", "choices": ["linear", "rbf"], "default": "rbf"},
            "gamma": {"type": "float", "low": 0.0, "high": 2.0, "when": {"kernel": ["rbf"]}},
        }
    }
)
THERE = {"rate": 0.05, "depth": 3, "kernel": "rbf", "gamma": 1.5}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, THERE),
        ({"rate": 7.0, "depth": 1}, {**THERE, "rate": 0.1, "depth": 2}),  # to the end of the range
        ({"depth": 3.0}, THERE),
        ({"depth": "deep"}, {**THERE, "depth": 4}),  # the default
        ({"kernel": "poly"}, THERE),
        ({"gone": 1}, THERE),
        ({"kernel": "linear"}, {"rate": 0.05, "depth": 3, "kernel": "linear"}),
    ],
)
def test_values_move_into_the_space(change: dict[str, Any], expected: dict[str, Any]) -> None:
    assert fitted(SPACE, {**THERE, **change}) == pytest.approx(expected)


def test_new_parameters_have_their_default_or_the_middle() -> None:
    assert fitted(SPACE, {}) == pytest.approx({"rate": 0.1**1.5, "depth": 4, "kernel": "rbf", "gamma": 1.0})


def space(*portfolio: dict[str, Any]) -> SearchSpace:
    entries = [{"algorithm": "svm", "params": params} for params in portfolio]
    return SearchSpace.model_validate({"algorithms": {"svm": SPACE.model_dump()}, "portfolio": entries})


def play(proposer: Proposer) -> list[Proposal]:
    played: list[Proposal] = []
    while (proposal := proposer.propose(len(played), lambda algorithm, params=None: True)) is not None:
        proposer.accepted(len(played), proposal)
        played.append(proposal)
    return played


def earlier(**change: Any) -> EarlierTrial:
    return EarlierTrial("svm", {**THERE, **change}, "before/1/7")


def test_two_that_become_one_are_tried_once() -> None:
    played = play(WarmStart(space(), [earlier(depth=9), earlier(depth=12), earlier(depth=5)]))
    assert [proposal.params["depth"] for proposal in played] == [8, 5]


def test_what_the_portfolio_has_too_is_tried_once() -> None:
    both = space(THERE, {**THERE, "depth": 7})
    played = play(ProposerChain([WarmStart(both, [earlier()]), Portfolio(both)]))
    assert [proposal.params["depth"] for proposal in played] == [3, 7]
    assert [proposal.notes for proposal in played] == [{"warm_start": "before/1/7"}, {}]


def test_one_that_does_not_fit_in_time_is_left_for_later() -> None:
    proposer = WarmStart(space(), [earlier(depth=8), earlier(depth=2)])
    quick = proposer.propose(0, lambda algorithm, params=None: params is None or params["depth"] < 5)
    assert quick is not None
    assert quick.params["depth"] == 2
    proposer.accepted(0, quick)
    assert not proposer.exhausted

"""What makes each sampler its own; what all of them keep to is in `automl.testing.samplers`."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState
from scipy.stats import qmc

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.sampled import SamplerProposer
from automl.engine.samplers.registry import make_sampler, samplers
from automl.engine.space.space import SearchSpace
from automl.engine.study.history import Record
from automl.engine.study.proposal import Proposal, Proposer
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.errors import ConfigError, MissingExtraError

UNIT = {"type": "float", "low": 0.0, "high": 1.0}
WIDE = {
    "params": {
        "x": UNIT,
        "rate": {"type": "float", "low": 1e-3, "high": 1.0, "log": True},
        "depth": {"type": "int", "low": 1, "high": 9},
        "kernel": {"type": "categorical", "choices": ["linear", "rbf"]},
        "gamma": {**UNIT, "when": {"kernel": ["rbf"]}},
    }
}
SQUARE = SearchSpace.model_validate({"algorithms": {"plain": {"params": {"x": UNIT, "y": UNIT}}}})


def chain(sampler: str, space: SearchSpace, *, seed: int = 7, **options: Any) -> SamplerProposer:
    chosen = make_sampler(ComponentOptions(name=sampler, options=options))
    return SamplerProposer(space, chosen, objective=Objective("score"), seed=seed, measured=False)


def able(sampler: str) -> str:
    """`sampler`, if what it needs is installed."""
    needed = samplers()[sampler].requires
    if needed is not None and importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    return sampler


def score(proposal: Proposal) -> float:
    return -sum((value - 0.3) ** 2 for value in proposal.params.values() if isinstance(value, float))


def record(number: int, proposal: Proposal) -> Record:
    suggested, distributions = proposal.suggested, proposal.distributions
    return Record(number, proposal.algorithm, suggested, distributions, TrialState.COMPLETE, score(proposal), 0.0)


def play(proposer: Proposer, numbers: range) -> list[Proposal]:
    played = []
    for number in numbers:
        proposal = proposer.propose(number, lambda _, params=None: True)
        if proposal is None:
            break
        proposer.accepted(number, proposal)
        finish(proposer, number, proposal)
        played.append(proposal)
    return played


def finish(proposer: Proposer, number: int, proposal: Proposal) -> None:
    result = TrialResult(
        number=number, algorithm=proposal.algorithm, status=Status.COMPLETED, value=score(proposal), seconds=1.0
    )
    proposer.observe(record(number, proposal), result)


def asked(proposals: list[Proposal]) -> list[tuple[str, dict[str, Any]]]:
    return [(proposal.algorithm, dict(proposal.params)) for proposal in proposals]


# Grid


def values(sampler: str, params: dict[str, Any], numbers: int = 100, **options: Any) -> list[dict[str, Any]]:
    space = SearchSpace.model_validate({"algorithms": {"a": {"params": params}}})
    proposer = chain(sampler, space, **options)
    played = [dict(proposal.params) for proposal in play(proposer, range(numbers))]
    assert proposer.exhausted == (len(played) < numbers)
    return played


def test_a_grid_is_tried_once_and_then_exhausted() -> None:
    played = values("grid", WIDE["params"], numbers=1_000, points=2)
    assert len(played) == 2 * 2 * 9 * (1 + 2)
    assert len({str(params) for params in played}) == len(played)
    assert all(("gamma" in params) == (params["kernel"] == "rbf") for params in played)


def test_a_grid_lays_out_continuous_ranges_on_their_own_scale() -> None:
    rates = sorted(params["c"] for params in values("grid", {"c": {**WIDE["params"]["rate"]}}, points=4))
    assert rates == pytest.approx([1e-3, 1e-2, 1e-1, 1.0])
    assert sorted(params["c"] for params in values("grid", {"c": UNIT})) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_grid_lays_out_a_normal_by_equal_probabilities() -> None:
    normal = {"type": "normal", "mu": 10.0, "sigma": 2.0}
    middles = sorted(params["c"] for params in values("grid", {"c": normal}, points=3))
    assert middles == pytest.approx([10 - 2 * 0.9674, 10.0, 10 + 2 * 0.9674], abs=1e-3)


def test_the_seed_shuffles_the_grid() -> None:
    orders = [asked(play(chain("grid", SQUARE, seed=seed), range(25))) for seed in (1, 2)]
    assert orders[0] != orders[1]
    assert sorted(map(str, orders[0])) == sorted(map(str, orders[1]))


def test_a_grid_out_of_bounds_is_refused_before_it_is_made() -> None:
    params = dict.fromkeys("abcdefgh", UNIT) | {"k": {"type": "int", "low": 1, "high": 5_000}}
    with pytest.raises(ConfigError, match=r"search.sampler: .* 1,953,125,000 configurations.*'k' has 5,000 values"):
        values("grid", params)


def test_a_grid_has_at_least_both_ends() -> None:
    with pytest.raises(ConfigError, match=r"search.sampler.options.points: .*greater than or equal to 2"):
        make_sampler(ComponentOptions(name="grid", options={"points": 1}))


# Quasi-random


@pytest.mark.parametrize("sequence", ["sobol", "halton"])
def test_quasi_random_points_are_more_even_than_random_ones(sequence: str) -> None:
    def discrepancy(sampler: str, seed: int, **options: Any) -> float:
        played = play(chain(sampler, SQUARE, seed=seed, **options), range(64))
        return float(qmc.discrepancy(np.array([[p.params["x"], p.params["y"]] for p in played])))

    even = [discrepancy("qmc", seed, sequence=sequence) for seed in range(5)]
    assert max(even) < min(discrepancy("random", seed) for seed in range(5)) / 2


def test_every_algorithm_has_an_even_sequence_of_its_own() -> None:
    twice = SearchSpace.model_validate({"algorithms": {name: {"params": {"x": UNIT}} for name in ("a", "b")}})
    played = play(chain("qmc", twice), range(100))
    for name in ("a", "b"):
        first = [proposal.params["x"] for proposal in played if proposal.algorithm == name][:32]
        assert sorted(int(32 * x) for x in first) == list(range(32))


def test_choices_are_drawn_equally_often() -> None:
    played = values("qmc", {"k": {"type": "categorical", "choices": list("abcd")}, "x": UNIT}, numbers=64)
    assert sorted(params["k"] for params in played) == sorted("abcd" * 16)


# Those that learn


@pytest.mark.parametrize(
    ("sampler", "numbers", "options"),
    [("cmaes", 150, {}), ("gp", 12, {"n_startup_trials": 4})],  # which needs few, and most of a second for each
    ids=["cmaes", "gp"],
)
def test_it_comes_closer_to_the_optimum_than_random_search(sampler: str, numbers: int, options: dict[str, int]) -> None:
    def best(name: str, **options: int) -> float:
        return max(score(proposal) for proposal in play(chain(name, SQUARE, **options), range(numbers)))

    assert best(able(sampler), **options) > best("random") / 10


def test_cmaes_narrows_its_distribution() -> None:
    played = play(chain(able("cmaes"), SQUARE), range(150))
    spread = [np.std([proposal.params["x"] for proposal in part]) for part in (played[10:30], played[-20:])]
    assert spread[1] < spread[0] / 10


@pytest.mark.parametrize(("sampler", "module"), [("cmaes", "cmaes"), ("gp", "torch")])
def test_a_missing_package_is_named_with_its_extra(sampler: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"'{sampler}' cannot be used: {module} .*automl-search\[{module}\]"):
        make_sampler(ComponentOptions(name=sampler))

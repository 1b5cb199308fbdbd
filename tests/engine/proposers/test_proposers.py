"""What is proposed: the portfolio, then the sampler; nothing twice in a finite space; the same bits after a resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from optuna.trial import TrialState

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.algorithm_study import AlgorithmStudy
from automl.engine.proposers.portfolio import Portfolio
from automl.engine.proposers.sampled import SamplerProposer
from automl.engine.samplers.registry import make_sampler
from automl.engine.space.space import SearchSpace
from automl.engine.study.history import Record
from automl.engine.study.proposal import Proposal, Proposer, ProposerChain
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.errors import ConfigError

FLOAT = {"type": "float", "low": 0.0, "high": 1.0}
SPACE = SearchSpace.model_validate(
    {
        "algorithms": {
            "wide": {"params": {"x": FLOAT, "y": FLOAT}},
            "narrow": {"cost": 3, "params": {"k": {"type": "categorical", "choices": [1, 2, 3]}}},
            "fixed": {"params": {}},
        },
        "portfolio": [
            {"algorithm": "narrow", "params": {"k": 2}},
            {"algorithm": "wide", "params": {"x": 0.25, "y": 0.5}},
        ],
    }
)


def anything(algorithm: str, params: Mapping[str, Any] | None = None) -> bool:
    return True


def small_x(algorithm: str, params: Mapping[str, Any] | None = None) -> bool:
    """Only configurations with a small x end in time; at large, any algorithm may."""
    return params is None or params.get("x", 1.0) < 0.5


def chain(sampler: str, space: SearchSpace = SPACE, **options: Any) -> ProposerChain:
    chosen = make_sampler(ComponentOptions(name=sampler, options=options))
    return ProposerChain(
        [Portfolio(space), SamplerProposer(space, chosen, objective=Objective("score"), seed=7, measured=False)]
    )


def record(number: int, proposal: Proposal, state: TrialState, value: float | None) -> Record:
    return Record(number, proposal.algorithm, proposal.suggested, proposal.distributions, state, value, 0.0)


def score(proposal: Proposal) -> float:
    return -sum((float(value) - 0.3) ** 2 for value in proposal.params.values())


def play(proposer: Proposer, numbers: range) -> list[Proposal]:
    played = []
    for number in numbers:
        proposal = proposer.propose(number, anything)
        if proposal is None:
            break
        proposer.accepted(number, proposal)
        finish(proposer, number, proposal)
        played.append(proposal)
    return played


def finish(proposer: Proposer, number: int, proposal: Proposal) -> None:
    value = score(proposal)
    result = TrialResult(number=number, algorithm=proposal.algorithm, status=Status.COMPLETED, value=value, seconds=1.0)
    proposer.observe(record(number, proposal, TrialState.COMPLETE, value), result)


def test_the_portfolio_comes_first_and_in_order() -> None:
    first, second, *_ = play(chain("random"), range(4))
    assert (first.algorithm, first.params) == ("narrow", {"k": 2})
    assert (second.algorithm, second.params) == ("wide", {"x": 0.25, "y": 0.5})


def test_an_entry_that_does_not_fit_is_passed_over_and_kept() -> None:
    proposer = Portfolio(SPACE)
    fits = proposer.propose(0, lambda algorithm, params=None: algorithm == "wide")
    assert fits is not None and fits.algorithm == "wide"
    later = proposer.propose(0, anything)
    assert later is not None and later.algorithm == "narrow"


def test_an_entry_is_judged_by_its_own_parameters() -> None:
    fits = Portfolio(SPACE).propose(0, small_x)
    assert fits is not None and fits.params == {"x": 0.25, "y": 0.5}


@pytest.mark.parametrize("sampler", ["random", "tpe", "qmc"])
def test_what_would_not_end_in_time_is_drawn_again(sampler: str) -> None:
    proposer = chain(sampler, SPACE.only(["wide"]).model_copy(update={"portfolio": ()}))
    drawn = []
    for number in range(40):
        proposal = proposer.propose(number, small_x)
        if proposal is not None:
            proposer.accepted(number, proposal)
            finish(proposer, number, proposal)
            drawn.append(proposal.params)
    assert len(drawn) > 30
    assert all(params["x"] < 0.5 for params in drawn)
    assert len({params["x"] for params in drawn}) == len(drawn)


def test_an_algorithm_of_which_nothing_drawn_ends_in_time_gives_way_to_another() -> None:
    proposer = SamplerProposer(
        SPACE, make_sampler(ComponentOptions(name="tpe")), objective=Objective("score"), seed=7, measured=True
    )
    for number in range(20):
        proposal = proposer.propose(number, lambda algorithm, params=None: params is None or algorithm == "narrow")
        assert proposal is None or proposal.algorithm == "narrow"
        if proposal is None:
            break
        proposer.accepted(number, proposal)
        finish(proposer, number, proposal)
    assert number == 3, "all of narrow were tried"


def test_optuna_knows_parameters_by_the_algorithms_prefix() -> None:
    for proposal in play(chain("random"), range(8)):
        assert all(name.startswith(f"{proposal.algorithm}.") for name in proposal.suggested)
        assert not any("." in name for name in proposal.params)


@pytest.mark.parametrize("sampler", ["random", "tpe", "auto"])
def test_a_finite_space_is_tried_without_repetition_and_then_exhausted(sampler: str) -> None:
    finite = SPACE.only(["narrow", "fixed"])
    proposer = chain(sampler, finite)
    played = play(proposer, range(10))
    assert len(played) == 4
    assert {(p.algorithm, p.params.get("k")) for p in played} == {
        ("narrow", 1),
        ("narrow", 2),
        ("narrow", 3),
        ("fixed", None),
    }
    assert proposer.exhausted


def test_an_algorithm_without_parameters_is_tried_once() -> None:
    played = play(chain("random"), range(60))
    assert sum(p.algorithm == "fixed" for p in played) == 1


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_same_seed_proposes_the_same_bits(sampler: str) -> None:
    assert [p.params for p in play(chain(sampler), range(40))] == [p.params for p in play(chain(sampler), range(40))]


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_restored_search_proposes_what_the_uncut_one_would_have(sampler: str) -> None:
    uncut = play(chain(sampler), range(60))

    resumed = chain(sampler)
    for number, proposal in enumerate(uncut[:35]):
        resumed.restore(record(number, proposal, TrialState.COMPLETE, score(proposal)))
    for number, proposal in enumerate(uncut[:35]):
        finish(resumed, number, proposal)
    assert [p.params for p in play(resumed, range(35, 60))] == [p.params for p in uncut[35:]]


def test_tpe_comes_closer_to_the_optimum_than_random_search() -> None:
    only = SPACE.only(["wide"])

    def best(sampler: str) -> float:
        return max(score(proposal) for proposal in play(chain(sampler, only), range(120)))

    assert best("tpe") > best("random")


def test_the_sampler_models_a_window_that_stays_bounded() -> None:
    sampler = make_sampler(ComponentOptions(name="tpe", options={"window": 20}))
    model = AlgorithmStudy("wide", SPACE.algorithms["wide"], sampler, objective=Objective("score"))
    sizes = []
    for number in range(100):
        proposal, local = model.ask(number)
        model.bind(number, local)
        model.observe(number, proposal.suggested, proposal.distributions, TrialState.COMPLETE, score(proposal))
        sizes.append(model._size)
    assert max(sizes) <= 21
    assert min(sizes[40:]) >= 10


def test_running_trials_survive_the_windows_shrinking() -> None:
    sampler = make_sampler(ComponentOptions(name="tpe", options={"window": 20}))
    model = AlgorithmStudy("wide", SPACE.algorithms["wide"], sampler, objective=Objective("score"))
    running, local = model.ask(1_000)
    model.bind(1_000, local)
    for number in range(60):
        proposal, local = model.ask(number)
        model.bind(number, local)
        model.observe(number, proposal.suggested, proposal.distributions, TrialState.COMPLETE, score(proposal))
    model.observe(1_000, running.suggested, running.distributions, TrialState.COMPLETE, 1.0)
    assert model._local == {}


def test_an_unknown_sampler_gives_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"search.sampler: there is no 'tpee'; did you mean 'tpe'\?"):
        make_sampler(ComponentOptions(name="tpee"))


def test_an_unknown_option_lists_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=r"search.sampler.options.windoww: .*n_startup_trials, n_ei_candidates, window"
    ):
        make_sampler(ComponentOptions(name="tpe", options={"windoww": 5}))

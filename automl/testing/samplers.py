"""The conformance suite of samplers.

Derive `SamplerSuite`, and say how to make your sampler.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import pytest
from optuna.trial import FixedTrial, TrialState

from automl.engine.proposers.sampled import SamplerProposer, make_proposer
from automl.engine.samplers.base import Sampler
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.engine.study.history import Record, state_of
from automl.engine.study.proposal import Proposal, Proposer
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.options import Options

__all__ = ["FINITE", "MIXED", "SamplerSuite"]

_UNIT = {"type": "float", "low": 0.0, "high": 1.0}
MIXED = SearchSpace.model_validate(
    {
        "algorithms": {
            "mixed": {
                "params": {
                    "x": _UNIT,
                    "rate": {"type": "float", "low": 1e-3, "high": 1.0, "log": True},
                    "share": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.5},
                    "depth": {"type": "int", "low": 1, "high": 2},
                    "units": {"type": "int", "low": 8, "high": 16, "log": True, "step": 8},
                    "shift": {"type": "normal", "mu": 10.0, "sigma": 2.0},
                    "kernel": {"type": "categorical", "choices": ["linear", "rbf", None]},
                    "gamma": {**_UNIT, "when": {"kernel": ["rbf"]}},
                }
            },
            "plain": {"params": {"x": _UNIT, "y": _UNIT}},
        },
    }
)
"""Every kind of parameter, a conditional one among them, and a second algorithm."""
FINITE = SearchSpace.model_validate(
    {
        "algorithms": {
            "small": {
                "params": {
                    "k": {"type": "int", "low": 1, "high": 3},
                    "c": {"type": "categorical", "choices": ["a", "b"]},
                    "depth": {"type": "int", "low": 1, "high": 2, "when": {"c": ["b"]}},
                }
            }
        }
    }
)
"""Nine configurations."""
_ENDS = (Status.COMPLETED, Status.COMPLETED, Status.PRUNED, Status.FAILED, Status.COMPLETED)
"""The ends of the trials of a played search, over and over."""


class SamplerSuite:
    """The duties of a sampler.

    Attributes:
        trials: length of the searches that are played; more than the sampler's start at random.

    Example:
        >>> from automl.engine.samplers.random import RandomSearch
        >>> class TestRandomSearch(SamplerSuite):
        ...     def make_sampler(self) -> Sampler:
        ...         return RandomSearch(RandomSearch.Settings())
        >>> TestRandomSearch().test_proposals_are_in_the_space()
    """

    trials: ClassVar[int] = 30

    def make_sampler(self) -> Sampler:
        """A new sampler; if it learns, one that begins to within the first half of `trials`."""
        raise NotImplementedError

    def proposer(self, space: SearchSpace = MIXED, *, seed: int = 7) -> Proposer:
        """The sampler as a search uses it."""
        return make_proposer(self.make_sampler(), space, objective=Objective("score"), seed=seed, measured=False)

    # --- what users see

    def test_it_has_a_name_and_declares_its_options(self) -> None:
        kind = type(self.make_sampler())
        assert kind.name.isidentifier()
        assert issubclass(kind.Settings, Options)
        described = kind.Settings.model_json_schema().get("properties", {})
        assert [name for name, option in described.items() if not option.get("description")] == []

    # --- the same bits

    def test_the_same_seed_gives_the_same_proposals_and_another_one_others(self) -> None:
        one, same, other = (_asked(_play(self.proposer(seed=seed), range(self.trials))) for seed in (1, 1, 2))
        assert one == same
        assert one != other

    def test_a_cut_search_goes_on_with_the_bits_of_the_uncut_one(self) -> None:
        whole = _play(self.proposer(), range(self.trials))
        cut = 2 * self.trials // 3
        resumed = self.proposer()
        for number, proposal in enumerate(whole[:cut]):
            resumed.restore(_record(number, proposal))
        for number, proposal in enumerate(whole[:cut]):
            _finish(resumed, number, proposal)
        assert _asked(_play(resumed, range(cut, self.trials))) == _asked(whole[cut:])

    def test_an_ask_leaves_no_state_in_the_sampler(self) -> None:
        sampler = self.make_sampler()
        first, second = (
            _asked(
                _play(
                    make_proposer(sampler, MIXED, objective=Objective("score"), seed=3, measured=False),
                    range(self.trials // 2),
                )
            )
            for _ in range(2)
        )
        assert first == second

    # --- proposals are in the space

    def test_proposals_are_in_the_space(self) -> None:
        for proposal in _play(self.proposer(), range(self.trials)):
            space = MIXED.algorithms[proposal.algorithm]
            _assert_in(space, proposal.params)
            trial = FixedTrial(dict(proposal.suggested))
            assert space.ask(trial, proposal.algorithm) == proposal.params  # what the journal keeps says the same
            assert set(proposal.distributions) == set(proposal.suggested)

    def test_trials_that_others_proposed_are_learned_from_or_ignored(self) -> None:
        proposer = self.proposer()
        others = _play(self.proposer(seed=99), range(self.trials // 2))
        for number, proposal in enumerate(others):
            proposer.accepted(number, proposal)
            _finish(proposer, number, proposal)
        for proposal in _play(proposer, range(len(others), self.trials)):
            _assert_in(MIXED.algorithms[proposal.algorithm], proposal.params)

    def test_it_proposes_while_trials_run(self) -> None:
        proposer = self.proposer()
        running: list[tuple[int, Proposal]] = []
        for number in range(self.trials):
            proposal = proposer.propose(number, _admit)
            assert proposal is not None
            proposer.accepted(number, proposal)
            running.append((number, proposal))
            if len(running) == 4:
                _finish(proposer, *running.pop(number % 4))
        assert len({str(asked) for asked in _asked([proposal for _, proposal in running])}) > 1

    def test_only_admitted_algorithms_are_proposed(self) -> None:
        proposer = self.proposer()
        for number in range(self.trials // 2):
            proposal = proposer.propose(number, lambda algorithm, params=None, **_: algorithm == "mixed")
            assert proposal is not None
            assert proposal.algorithm == "mixed"
            proposer.accepted(number, proposal)
            _finish(proposer, number, proposal)
        assert proposer.propose(self.trials, lambda algorithm, params=None, **_: False) is None

    # --- finite spaces

    def test_a_finite_space_is_tried_without_repetition_and_then_exhausted(self) -> None:
        proposer = self.proposer(FINITE)
        if not isinstance(proposer, SamplerProposer):
            pytest.skip("trials of this sampler continue from others: a configuration may come again")
        played = [str(sorted(proposal.params.items())) for proposal in _play(proposer, range(20))]
        every = {str(sorted(params.items())) for params in FINITE.algorithms["small"].configurations()}
        assert len(played) == len(every) == 9
        assert set(played) == every
        assert proposer.exhausted

    def test_a_layout_lies_within_the_space(self) -> None:
        space = MIXED.algorithms["mixed"]
        laid_out = self.make_sampler().layout(space)
        if laid_out is None:
            pytest.skip("this sampler draws")
        assert laid_out.size() is not None
        for _, params in zip(range(500), laid_out.configurations(), strict=False):
            _assert_in(space, params)

    # --- what it says of itself

    def test_learns_says_whether_scores_matter(self) -> None:
        up, down = (_asked(_play(self.proposer(_one()), range(self.trials), sign)) for sign in (1.0, -1.0))
        assert (up != down) == self.make_sampler().learns


def _one() -> SearchSpace:
    """One algorithm: the choice among several then plays no part."""
    return MIXED.only(["plain"])


def _admit(algorithm: str, params: Mapping[str, Any] | None = None, **_: float) -> bool:
    return True


def _play(proposer: Proposer, numbers: Iterable[int], sign: float = 1.0) -> list[Proposal]:
    """Collect what is proposed under `numbers`, one trial at a time, until nothing is left."""
    played = []
    for number in numbers:
        proposal = proposer.propose(number, _admit)
        if proposal is None:
            break
        proposer.accepted(number, proposal)
        _finish(proposer, number, proposal, sign)
        played.append(proposal)
    return played


def _finish(proposer: Proposer, number: int, proposal: Proposal, sign: float = 1.0) -> None:
    status = _ENDS[number % len(_ENDS)]
    value = None if status.is_failure else _score(proposal, sign)
    result = TrialResult(number=number, algorithm=proposal.algorithm, status=status, value=value, seconds=1.0)
    proposer.observe(_record(number, proposal, sign), result)


def _record(number: int, proposal: Proposal, sign: float = 1.0) -> Record:
    state = state_of(_ENDS[number % len(_ENDS)])
    return Record(
        number=number,
        algorithm=proposal.algorithm,
        suggested=proposal.suggested,
        distributions=proposal.distributions,
        state=state,
        value=None if state is TrialState.FAIL else _score(proposal, sign),
        elapsed=float(number),
        parent=proposal.parent,
        fidelity=proposal.fidelity,
        notes=proposal.notes,
    )


def _score(proposal: Proposal, sign: float) -> float:
    return sign * -sum((value - 0.3) ** 2 for value in proposal.params.values() if isinstance(value, float))


def _asked(proposals: list[Proposal]) -> list[tuple[str, dict[str, Any]]]:
    return [(proposal.algorithm, dict(proposal.params)) for proposal in proposals]


def _assert_in(space: AlgorithmSpace, params: Mapping[str, Any]) -> None:
    """Every value is one that its parameter can have, and exactly those parameters exist that should."""
    space.encode(params, "")  # raises for a value outside, and for a parameter that does not exist beside the others
    assert {name for name in space.params if space.params.active(name, params)} == set(params)
    assert all(space.params[name].contains(value) for name, value in params.items())

"""Population based training as a proposer: who goes on from whom, when, and after a resume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.samplers.population import PopulationProposer
from automl.engine.samplers.registry import make_sampler
from automl.engine.space.space import SearchSpace
from automl.engine.study.history import Record, state_of
from automl.engine.study.proposal import Proposal
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.errors import ConfigError

RATE = {"type": "float", "low": 1e-3, "high": 1.0, "log": True}
DEPTH = {"type": "int", "low": 1, "high": 9}
SPACE = SearchSpace.model_validate(
    {"algorithms": {"net": {"params": {"rate": RATE}}, "tree": {"params": {"depth": DEPTH}}}}
)
NETS = SPACE.only(["net"])


def anything(algorithm: str, params: Mapping[str, Any] | None = None, **_: float) -> bool:
    return True


@dataclass
class Life:
    """A proposer, what it has proposed, and how it went."""

    space: SearchSpace = field(default_factory=lambda: NETS)
    options: dict[str, Any] = field(default_factory=lambda: {"population": 4, "generations": 3, "quantile": 0.25})
    maximize: bool = True
    seed: int = 3

    def __post_init__(self) -> None:
        self.proposer = self.new()
        self.proposals: dict[int, Proposal] = {}
        self.results: dict[int, TrialResult] = {}

    def new(self) -> PopulationProposer:
        sampler = make_sampler(ComponentOptions(name="pbt", options=self.options))
        proposer = sampler.proposer(
            self.space, objective=Objective("score", self.maximize), seed=self.seed, measured=False
        )
        assert isinstance(proposer, PopulationProposer)
        return proposer

    def begin(self) -> int:
        """Propose a trial; its number."""
        number = len(self.proposals)
        proposal = self.proposer.propose(number, anything)
        assert proposal is not None
        self.proposer.accepted(number, proposal)
        self.proposals[number] = proposal
        return number

    def end(self, number: int, value: float | None) -> None:
        """It has ended, with a score or (None) in failure."""
        proposal = self.proposals[number]
        status = Status.FAILED if value is None else Status.COMPLETED
        result = TrialResult(number=number, algorithm=proposal.algorithm, status=status, value=value)
        self.results[number] = result
        self.proposer.observe(self.record(number), result)

    def record(self, number: int) -> Record:
        """As the journal has it."""
        proposal, result = self.proposals[number], self.results.get(number)
        return Record(
            number=number,
            algorithm=proposal.algorithm,
            suggested=proposal.suggested,
            distributions=proposal.distributions,
            state=state_of(Status.INTERRUPTED if result is None else result.status),
            value=None if result is None else result.value,
            elapsed=0.0,
            parent=proposal.parent,
            fidelity=proposal.fidelity,
            notes=proposal.notes,
        )

    def resume(self) -> None:
        """Another proposer, which learns of everything as the driver tells it: ended trials, open ones, results."""
        self.proposer = self.new()
        open_ones = [number for number in self.proposals if number not in self.results]
        for number in [*sorted(self.results), *open_ones]:
            self.proposer.restore(self.record(number))
        for number in sorted(self.results):
            self.proposer.observe(self.record(number), self.results[number])

    def live(self, trials: int) -> list[Proposal]:
        """One trial after the other, scored by their rates; every seventh fails."""
        for _ in range(trials):
            number = self.begin()
            params = self.proposals[number].params
            self.end(number, None if number % 7 == 3 else params.get("rate", params.get("depth", 0) / 10))
        return list(self.proposals.values())


def places(life: Life) -> list[tuple[int, int, int]]:
    return [(p.notes["population"], p.notes["generation"], p.notes["member"]) for p in life.proposals.values()]


def test_a_generation_after_the_other_each_with_more_of_the_work() -> None:
    life = Life()
    life.live(14)
    assert places(life)[:12] == [(0, generation, member) for generation in range(3) for member in range(4)]
    assert [life.proposals[number].fidelity for number in (0, 4, 8)] == [1 / 3, 2 / 3, 1.0]


def test_after_the_last_generation_comes_a_fresh_population() -> None:
    life = Life()
    life.live(26)
    assert places(life)[12:14] == [(1, 0, 0), (1, 0, 1)]
    assert places(life)[24] == (2, 0, 0)
    assert life.proposals[12].parent is None
    assert not life.proposer.exhausted


def test_populations_that_have_ended_are_forgotten() -> None:
    life = Life(options={"population": 2, "generations": 2})
    life.live(50)
    assert list(life.proposer._populations) == [12]
    life.resume()
    life.live(4)
    assert list(life.proposer._populations) == [13]


def test_the_worst_goes_on_from_the_best_and_all_others_from_themselves() -> None:
    life = Life()
    for value in (0.4, 0.1, 0.9, 0.5):
        life.end(life.begin(), value)
    for _ in range(4):
        life.begin()
    assert [life.proposals[number].parent for number in range(4, 8)] == [0, 2, 2, 3]
    for number in (4, 6, 7):
        parent = life.proposals[number].parent
        assert parent is not None
        assert life.proposals[number].suggested == life.proposals[parent].suggested
    best, changed = life.proposals[2].params["rate"], life.proposals[5].params["rate"]
    assert changed != best


def test_smaller_is_better_where_it_is() -> None:
    life = Life(maximize=False)
    for value in (0.4, 0.1, 0.9, 0.5):
        life.end(life.begin(), value)
    for _ in range(4):
        life.begin()
    assert [life.proposals[number].parent for number in range(4, 8)] == [0, 1, 1, 3]


def test_nobody_waits_for_the_others() -> None:
    life = Life()
    first, *_ = [life.begin() for _ in range(4)]
    life.end(first, 0.5)
    assert life.proposals[life.begin()].parent == first  # three of its generation still run


def test_more_workers_than_members_begin_the_next_population() -> None:
    life = Life()
    for _ in range(6):
        life.begin()
    assert places(life)[4:] == [(1, 0, 0), (1, 0, 1)]


def test_a_failed_member_is_replaced_by_a_good_one() -> None:
    life = Life()
    for value in (0.4, None, 0.9, 0.5):
        life.end(life.begin(), value)
    life.begin()
    replaced = life.proposals[life.begin()]
    assert (replaced.parent, replaced.notes["member"], replaced.fidelity) == (2, 1, 2 / 3)


def test_where_everything_failed_a_member_starts_anew() -> None:
    life = Life()
    for _ in range(4):
        life.end(life.begin(), None)
    anew = life.proposals[life.begin()]
    assert (anew.parent, anew.fidelity, anew.notes) == (None, 1 / 3, {"population": 0, "member": 0, "generation": 0})
    assert anew.params != life.proposals[0].params


def test_a_replacement_has_the_algorithm_of_its_parent() -> None:
    life = Life(SPACE, {"population": 6, "generations": 4, "quantile": 0.5})
    life.live(60)
    assert {proposal.algorithm for proposal in life.proposals.values()} == {"net", "tree"}
    for proposal in life.proposals.values():
        if proposal.parent is not None:
            assert proposal.algorithm == life.proposals[proposal.parent].algorithm


def test_only_what_is_admitted_is_proposed() -> None:
    proposer = Life(SPACE).proposer
    for number in range(10):
        proposal = proposer.propose(number, lambda algorithm, params=None, **_: algorithm == "tree")
        assert proposal is not None
        assert proposal.algorithm == "tree"
    assert proposer.propose(10, lambda algorithm, params=None, **_: False) is None


def test_a_part_of_the_work_is_asked_for_as_that_part() -> None:
    life = Life(SPACE, options={"population": 2, "generations": 4})
    asked: list[float] = []

    def admits(algorithm: str, params: Mapping[str, Any] | None = None, *, fidelity: float = 1.0, **_: float) -> bool:
        asked.append(fidelity)
        return True

    assert life.proposer.propose(0, admits) is not None
    assert set(asked) == {0.25}


def test_a_training_that_goes_on_is_asked_for_as_the_part_that_it_adds() -> None:
    net = SPACE.algorithms["net"].model_copy(update={"anytime": True})
    space = SearchSpace(algorithms={"net": net, "tree": SPACE.algorithms["tree"]})
    asked: dict[str, set[float]] = {"net": set(), "tree": set()}

    def admits(algorithm: str, params: Mapping[str, Any] | None = None, *, fidelity: float = 1.0, **_: float) -> bool:
        if params is not None:
            asked[algorithm].add(fidelity)
        return True

    life = Life(space, {"population": 6, "generations": 4})
    for number in range(24):
        proposal = life.proposer.propose(number, admits)
        assert proposal is not None
        life.proposer.accepted(number, proposal)
        life.proposals[number] = proposal
        life.end(number, 0.5)
    assert asked == {"net": {0.25}, "tree": {0.25, 0.5, 0.75, 1.0}}


def test_the_worst_half_goes_on_from_any_of_the_best_half() -> None:
    parents = set()
    for seed in range(20):
        life = Life(options={"population": 8, "generations": 2, "quantile": 0.5}, seed=seed)
        for value in range(8):
            life.end(life.begin(), value / 10)
        born = [life.proposals[life.begin()].parent for _ in range(8)]
        assert born[4:] == [4, 5, 6, 7]
        parents |= {*born[:4]}
    assert parents == {4, 5, 6, 7}


def test_of_three_members_one_at_most_is_replaced() -> None:
    life = Life(options={"population": 3, "generations": 2, "quantile": 0.5})
    for value in (0.1, 0.9, 0.5):
        life.end(life.begin(), value)
    assert [life.proposals[life.begin()].parent for _ in range(3)] == [1, 1, 2]


def test_where_a_generation_failed_as_a_whole_the_one_before_is_gone_on_from() -> None:
    life = Life()
    for value in (0.4, 0.1, 0.9, 0.5):
        life.end(life.begin(), value)
    for _ in range(4):
        life.end(life.begin(), None)
    assert life.proposals[life.begin()].parent == 2


@pytest.mark.parametrize(("resample", "times"), [(0.0, {3.0}), (1.0, None)])
def test_a_copied_number_is_multiplied_or_drawn_anew(resample: float, times: set[float] | None) -> None:
    options = {"population": 4, "generations": 2, "quantile": 0.25, "perturb": [3.0], "resample_probability": resample}
    found = set()
    for seed in range(5):
        life = Life(options=options, seed=seed)
        for value in (0.4, 0.1, 0.9, 0.5):
            life.end(life.begin(), value)
        life.begin()
        copied = life.proposals[life.begin()]
        best = life.proposals[2].params["rate"]
        if 3 * best <= RATE["high"]:
            found.add(round(copied.params["rate"] / best, 6))
    assert found == times if times is not None else 3.0 not in found


def test_trials_of_others_are_none_of_its_members() -> None:
    life, alone = Life(), Life()
    other = Proposal.of("net", NETS.algorithms["net"], {"rate": 0.5})
    life.proposals[0] = alone.proposals[0] = other
    life.proposer.accepted(0, other)
    life.end(0, 1.0)
    assert [p.params for p in life.live(9)] == [p.params for p in alone.live(9)]


@pytest.mark.parametrize("cut", [1, 4, 7, 12, 15, 30])
def test_a_resumed_search_goes_on_with_the_bits_of_the_uncut_one(cut: int) -> None:
    whole, resumed = Life(SPACE), Life(SPACE)
    whole.live(40)
    resumed.live(cut)
    resumed.resume()
    resumed.live(40 - cut)
    assert resumed.proposals == whole.proposals


def test_members_in_flight_are_still_theirs_after_a_resume() -> None:
    lives = Life(), Life()
    for life in lives:
        running = [life.begin() for _ in range(4)]
        life.end(running[1], 0.5)
        life.end(running[2], 0.25)
        if life is lives[1]:
            life.resume()
        life.begin()
        life.end(running[0], 0.75)
        life.live(12)
    assert lives[0].proposals == lives[1].proposals


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 1}, r"search.sampler.options.population: .*greater than or equal to 2"),
        ({"quantile": 0.7}, r"search.sampler.options.quantile: "),
        ({"perturb": [0]}, r"search.sampler.options.perturb.0: "),
        ({"members": 4}, r"search.sampler.options.members: .*population, generations, quantile"),
    ],
)
def test_options_that_make_no_population_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_sampler(ComponentOptions(name="pbt", options=options))

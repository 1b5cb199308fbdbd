"""What is explored, and what is trained last: on a clock that the test turns."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from optuna.trial import TrialState

from automl.deadline import Deadline
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.final_training import FinalTraining
from automl.engine.proposers.portfolio import Portfolio
from automl.engine.proposers.sampled import SamplerProposer
from automl.engine.proposers.time_allocation import TimeAllocation
from automl.engine.samplers.registry import make_sampler
from automl.engine.space.space import SearchSpace
from automl.engine.study.history import Record, state_of
from automl.engine.study.proposal import Proposal, Proposer, ProposerChain
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.stage import Stage

FLOAT = {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5}
SPACE = SearchSpace.model_validate(
    {
        "algorithms": {
            "quick": {"params": {"x": FLOAT}},
            "net": {"anytime": True, "cost": 50, "params": {"rate": FLOAT}},
        },
        "portfolio": [
            {"algorithm": "quick", "params": {"x": 0.1}},
            {"algorithm": "net", "params": {"rate": 0.1}},
            {"algorithm": "net", "params": {"rate": 0.2}},
            {"algorithm": "net", "params": {"rate": 0.3}},
        ],
    }
)
NETS = SPACE.only(["net"])
SHORT, LONG = 60.0, 600.0
"""Budgets without and with exploring."""


class Search:
    """A search without trials: what is proposed is ended by the test, when it likes."""

    def __init__(
        self, budget: float, space: SearchSpace = SPACE, *, inner: Proposer | None = None, **options: Any
    ) -> None:
        self.deadline = Deadline(time.monotonic(), budget)
        self.space, self.options = space, {"objective": Objective("score"), **options}
        self.records: dict[int, Record] = {}
        self.ended: list[TrialResult] = []
        self.refused: set[str] = set()
        self.proposer = self._make(inner)

    def _make(self, inner: Proposer | None = None) -> FinalTraining:
        sampler = make_sampler(ComponentOptions(name="tpe"))
        sampled = SamplerProposer(self.space, sampler, objective=self.options["objective"], seed=0, measured=True)
        search = inner or ProposerChain([Portfolio(self.space), sampled])
        return FinalTraining(search, self.space, deadline=self.deadline, reserve=lambda: 0.0, **self.options)

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.deadline.started -= seconds

    def propose(self) -> int | None:
        """The number of the next trial; None if nothing is proposed."""
        number = len(self.records)
        proposal = self.proposer.propose(number, self._admits)
        if proposal is None:
            return None
        assert self.deadline.spent() < self.deadline.budget
        self.records[number] = _record(number, proposal, self.deadline.spent())
        self.proposer.accepted(number, proposal)
        return number

    def start(self) -> Record:
        number = self.propose()
        assert number is not None
        return self.records[number]

    def end(self, trial: Record, value: float | None = 0.5, status: Status = Status.COMPLETED, **fields: Any) -> None:
        self.records[trial.number] = replace(trial, state=state_of(status), value=value)
        result = TrialResult(
            number=trial.number,
            algorithm=trial.algorithm,
            status=status,
            value=value,
            elapsed=self.deadline.spent(),
            **fields,
        )
        self.ended.append(result)
        self.proposer.observe(self.records[trial.number], result)

    def explore(self, *values: float) -> list[Record]:
        """Run the quick one and nets of these values, one after the other, until the final training is due."""
        trials = []
        for value in values:
            trial = self.start()
            while trial.algorithm != "net":
                self.end(trial, 0.1)
                trial = self.start()
            self.turn(10.0)
            self.end(trial, value)
            trials.append(trial)
        self.turn(self.proposer._left() - self.proposer._plan().final_training)
        return trials

    def resume(self) -> None:
        """The same in another session."""
        self.proposer = self._make()
        for record in self.records.values():
            if record.state.is_finished():
                self.proposer.restore(record)
        for record in self.records.values():
            if not record.state.is_finished():
                self.proposer.restore(record)
        for result in self.ended:
            self.proposer.observe(self.records[result.number], result)

    def _admits(
        self,
        algorithm: str,
        params: Mapping[str, Any] | None = None,
        *,
        within: float = math.inf,
        fidelity: float = 1.0,
    ) -> bool:
        return algorithm not in self.refused and within > 0 and self.deadline.remaining() > 0


def _record(number: int, proposal: Proposal, elapsed: float) -> Record:
    return Record(
        number,
        proposal.algorithm,
        proposal.suggested,
        proposal.distributions,
        TrialState.RUNNING,
        None,
        elapsed,
        parent=proposal.parent,
        stage=proposal.stage,
        notes=proposal.notes,
    )


def stage_of(trial: Record | Proposal) -> Stage:
    assert trial.stage is not None
    return trial.stage


def is_final(trial: Record) -> bool:
    return trial.stage == Stage.final_training()


def rate(trial: Record) -> float:
    return float(trial.suggested["net.rate"])


def test_a_short_search_has_one_quick_trial_and_then_trains_the_portfolios_first_net() -> None:
    search = Search(SHORT)
    quick = search.start()
    assert quick.algorithm == "quick"
    assert stage_of(quick).alone
    assert search.propose() is None, "a second one would take cores from it"
    search.turn(3.0)
    search.end(quick, 0.8)
    final = search.start()
    assert is_final(final)
    assert (final.algorithm, rate(final), final.parent) == ("net", 0.1, None)
    assert search.propose() is None, "nothing runs beside it"


def test_a_quick_trial_that_fails_is_followed_by_another() -> None:
    search = Search(SHORT)
    search.end(search.start(), None, Status.FAILED)
    again = search.start()
    assert again.algorithm == "quick"
    search.end(again, 0.8)
    assert is_final(search.start())


def test_a_quick_trial_has_to_be_over_before_the_final_training() -> None:
    search = Search(SHORT)
    slow = search.start()
    assert stage_of(slow).until == pytest.approx(SHORT / 4 + TimeAllocation().grace, abs=1.0)
    search.turn(SHORT / 4 + 1.0)
    assert search.propose() is None
    search.end(slow, None, Status.CANCELLED)
    assert is_final(search.start())


def test_where_there_are_only_nets_a_short_search_is_its_final_training() -> None:
    search = Search(SHORT, NETS)
    assert is_final(search.start())


def test_nets_are_compared_by_equal_allotments() -> None:
    search = Search(LONG)
    trials = [search.start() for _ in range(4)]
    assert [trial.algorithm for trial in trials] == ["quick", "net", "net", "net"]
    assert stage_of(trials[0]).seconds is None and not stage_of(trials[0]).alone
    assert not any(stage_of(trial).final for trial in trials)
    assert len({stage_of(trial).seconds for trial in trials[1:]}) == 1


def test_allotments_stay_equal_when_the_reserve_grows() -> None:
    reserve = [0.0]
    search = Search(LONG, NETS)
    search.proposer._reserve = lambda: reserve[0]
    first = search.start()
    reserve[0] = 20.0
    assert stage_of(search.start()).seconds == stage_of(first).seconds


def test_the_best_net_gets_the_rest() -> None:
    search = Search(LONG)
    trials = search.explore(0.6, 0.9, 0.7)
    final = search.start()
    assert is_final(final)
    assert final.parent == trials[1].number
    assert final.suggested == trials[1].suggested


def test_the_best_is_the_least_where_the_metric_is_an_error() -> None:
    search = Search(LONG, objective=Objective("score", maximize=False))
    trials = search.explore(0.6, 0.9, 0.4)
    assert search.start().parent == trials[2].number


def test_of_equal_ones_the_earlier_is_the_best() -> None:
    search = Search(LONG)
    trials = search.explore(0.6, 0.9, 0.9)
    assert search.start().parent == trials[1].number


def test_nothing_is_started_while_the_final_training_waits_for_what_runs() -> None:
    search = Search(LONG)
    search.end(search.start(), 0.5)
    late, later = search.start(), search.start()
    search.turn(LONG / 2)
    assert search.propose() is None
    search.end(late, 0.9)
    assert search.propose() is None
    search.end(later, 0.8)
    assert search.start().parent == late.number


def test_no_net_begins_that_would_delay_the_final_training_by_its_whole_time() -> None:
    search = Search(LONG, NETS)
    first = search.start()
    search.turn(search.proposer._left() - search.proposer._plan().final_training - stage_of(first).seconds / 2)
    assert search.propose() is None
    search.end(first, 0.5)
    assert is_final(search.start()), "nothing else fits, and nothing runs: no use in waiting"


@pytest.mark.parametrize("status", [Status.FAILED, Status.PRUNED, Status.OUT_OF_MEMORY, Status.TIMED_OUT])
def test_what_did_not_complete_is_not_trained_longer(status: Status) -> None:
    search = Search(LONG, NETS)
    first, second = search.start(), search.start()
    search.end(first, 0.9 if status is Status.PRUNED else None, status)
    search.end(second, 0.5)
    search.turn(LONG / 2)
    assert search.start().parent == second.number


def test_where_no_net_completed_the_portfolios_next_is_trained() -> None:
    search = Search(LONG, NETS)
    for _ in range(2):
        search.end(search.start(), None, Status.FAILED)
    search.turn(LONG / 2)
    final = search.start()
    assert (is_final(final), rate(final), final.parent) == (True, 0.3, None)


def test_what_was_good_in_an_earlier_experiment_is_trained_before_the_portfolios_first() -> None:
    known = Proposal.of("net", SPACE.algorithms["net"], {"rate": 0.9}, notes={"warm_start": "earlier/1/3"})
    quick = Proposal.of("quick", SPACE.algorithms["quick"], {"x": 0.9})
    search = Search(SHORT, NETS, first=[quick, known])
    final = search.start()
    assert (final.algorithm, rate(final)) == ("net", 0.9)
    assert final.notes == {"warm_start": "earlier/1/3"}
    assert is_final(final)
    search.end(final, None, Status.FAILED)
    assert rate(search.start()) == 0.1


def test_without_a_portfolio_the_spaces_defaults_are_trained() -> None:
    search = Search(SHORT, NETS.model_copy(update={"portfolio": ()}))
    assert rate(search.start()) == 0.5


def test_a_model_over_a_limit_is_not_trained_longer() -> None:
    search = Search(LONG, may_win=lambda result: result.model_size < 1_000)
    search.end(search.start(), 0.5)
    large, small = search.start(), search.start()
    search.end(large, 0.9, model_size=5_000)
    search.end(small, 0.6, model_size=500)
    search.turn(LONG / 2)
    assert search.start().parent == small.number


@pytest.mark.parametrize("status", [Status.FAILED, Status.OUT_OF_MEMORY, Status.INTERRUPTED])
def test_after_a_final_training_that_failed_the_next_best_has_what_is_left(status: Status) -> None:
    search = Search(LONG)
    trials = search.explore(0.6, 0.9, 0.7)
    parents = []
    for _ in range(3):
        final = search.start()
        assert is_final(final)
        parents.append(final.parent)
        search.turn(20.0)
        search.end(final, None, status)
    assert parents == [trials[n].number for n in (1, 2, 0)]
    assert not is_final(search.start()), "after three failures the time is for something else"


def test_after_a_final_training_that_was_soon_done_another_configuration_has_its_turn() -> None:
    search = Search(LONG)
    trials = search.explore(0.6, 0.9, 0.7)
    search.end(search.start(), 0.95)
    again = search.start()
    assert not stage_of(again).final, "there is time to compare more"
    search.end(again, 0.1)
    search.turn(LONG / 3)
    assert search.start().parent == trials[2].number


def test_seconds_that_are_no_time_for_a_final_training_are_for_quick_trials() -> None:
    search = Search(SHORT)
    search.end(search.start(), 0.5)
    final = search.start()
    search.turn(SHORT - 8.0)
    search.end(final, 0.9)
    assert search.start().algorithm == "quick"


def test_the_last_of_so_many_trials_is_the_final_training() -> None:
    search = Search(LONG, most=4)
    trials = [search.start() for _ in range(3)]
    assert search.propose() is None
    for value, trial in enumerate(trials):
        search.end(trial, value / 10)
    assert search.start().parent == 2


def test_when_everything_was_tried_the_final_training_is_due() -> None:
    choices = {"rate": {"type": "categorical", "choices": [0.1, 0.2]}}
    space = SearchSpace.model_validate({"algorithms": {"net": {"anytime": True, "params": choices}}})
    search = Search(LONG, space)
    first, second = search.start(), search.start()
    assert first.suggested != second.suggested
    search.end(first, 0.9)
    search.end(second, 0.8)
    assert not search.proposer.exhausted
    final = search.start()
    assert final.parent == first.number
    search.end(final, 0.95)
    search.end(search.start(), 0.9)
    assert search.propose() is None
    assert search.proposer.exhausted


def test_what_is_refused_is_no_final_training() -> None:
    search = Search(SHORT)
    search.end(search.start(), 0.5)
    search.refused = {"net"}
    assert search.propose() is None


class Listening(Proposer):
    """Proposes nets without end, and writes down what it hears."""

    exhausted = False

    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []
        self.own: list[Proposal] = []

    def propose(self, number: int, admits: Callable[..., bool]) -> Proposal | None:
        if not admits("net"):
            return None
        return Proposal.of("net", SPACE.algorithms["net"], {"rate": number / 100}, notes={"mine": number})

    def accepted(self, number: int, proposal: Proposal) -> None:
        self.heard.append(("accepted", number))
        self.own.append(proposal)

    def observe(self, record: Record, result: TrialResult) -> None:
        self.heard.append(("observed", record.number))


def test_who_proposes_never_hears_of_a_final_training() -> None:
    inner = Listening()
    search = Search(LONG, NETS, inner=inner)
    first = search.start()
    assert first.notes["mine"] == 0
    search.end(first, 0.9)
    search.turn(LONG / 2)
    final = search.start()
    search.end(final, 0.99)
    assert is_final(final)
    assert inner.heard == [("accepted", 0), ("observed", 0)]
    assert inner.own[0].notes == {"mine": 0}, "it knows its own proposal again"


def test_a_resumed_search_explores_on_with_the_same_allotments() -> None:
    search = Search(LONG)
    search.end(search.start(), 0.5)
    first = search.start()
    search.turn(30.0)
    search.end(first, 0.9)
    search.resume()
    search.deadline.extend(2 * LONG)
    assert stage_of(search.start()).seconds == stage_of(first).seconds


def test_a_resumed_search_knows_what_is_best() -> None:
    search = Search(LONG)
    trials = search.explore(0.6, 0.9, 0.7)
    search.resume()
    assert search.start().parent == trials[1].number


def test_a_final_training_that_was_cut_is_still_alone_after_a_resume() -> None:
    search = Search(LONG)
    trials = search.explore(0.6, 0.9, 0.7)
    broken = search.start()
    search.end(broken, None, Status.FAILED)
    cut = search.start()
    search.resume()
    assert search.propose() is None
    search.end(cut, None, Status.FAILED)
    assert search.start().parent == trials[0].number


def test_an_extended_search_shares_out_what_was_added() -> None:
    search = Search(LONG)
    search.explore(0.6, 0.9, 0.7)
    final = search.start()
    search.turn(search.deadline.remaining() - 1.0)
    search.end(final, 0.95)
    search.resume()
    search.deadline.extend(2 * LONG)
    assert not stage_of(search.start()).final
    plan = search.proposer._plan()
    assert plan.final_training == pytest.approx(TimeAllocation().of(LONG + 1.0).final_training, rel=0.01)


def test_without_a_final_training_equal_allotments_go_on_to_the_end() -> None:
    search = Search(LONG, NETS, time_allocation=TimeAllocation.without_final_training())
    allotted = TimeAllocation().of(LONG).seconds
    assert allotted is not None
    count = 0
    while search.deadline.remaining() >= allotted:
        trial = search.start()
        assert not stage_of(trial).final and stage_of(trial).seconds == allotted
        search.turn(allotted)
        search.end(trial)
        count += 1
    assert search.propose() is None
    assert count >= LONG // allotted - 1


def test_nothing_is_compared_where_an_allotment_shows_too_little_of_the_data() -> None:
    search = Search(LONG, epoch=1000.0)
    quick = search.start()
    assert quick.algorithm == "quick" and stage_of(quick).alone
    search.end(quick, 0.5)
    assert is_final(search.start())

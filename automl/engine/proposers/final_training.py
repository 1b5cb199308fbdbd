"""The last and longest training of a search with a time budget, and the short ones before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from optuna.trial import FixedTrial

from automl.deadline import Deadline
from automl.engine.proposers.time_allocation import Allocation, TimeAllocation
from automl.engine.proposers.warm_start import fitted
from automl.engine.space.space import SearchSpace
from automl.engine.study.history import Record
from automl.engine.study.proposal import Admits, Proposal, Proposer
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.stage import Stage

__all__ = ["FinalTraining", "anytime_algorithms"]

_MOST_FAILURES = 3
"""Final trainings that may fail: after so many of them the time is better spent on something else."""


def anytime_algorithms(space: SearchSpace) -> frozenset[str]:
    """The algorithms whose fits last as long as they are given."""
    return frozenset(name for name, algorithm in space.algorithms.items() if algorithm.anytime)


class FinalTraining(Proposer):
    """Lets a search explore, and gives the rest of its time to the best configuration that was found.

    While the search explores, trials of anytime algorithms get equal allotments of time, and all others have to be
    over before the final training begins. When it is due nothing new is started; when the last trial has ended, the
    best completed configuration of an anytime algorithm is trained anew, alone on its machine and for all of the time
    that is left. Its `parent` is the trial that it has its configuration from; it does not continue from that trial's
    weights, since a schedule that was annealed to its end is a worse start than none (Ash & Adams 2020,
    arXiv:1910.08475).

    It is due early where nothing is left to try, nothing else would end in time, or only one trial is left of those
    that the search may run. If it fails, the next best configuration is next, in the time that is left. When one has
    ended early (a net may have as many epochs as it wants), or the budget of a finished search was extended, what is
    left is shared in the same way once more; no configuration is the final training twice.

    The proposers inside never hear of a final training: its score is that of a longer training, so a sampler would take
    a configuration to be better than it is beside the others.

    Args:
        search: who proposes while the search explores.
        space: the search's.
        deadline: the experiment's clock, which is limited.
        reserve: seconds to keep for what comes after the search.
        objective: the primary metric.
        may_win: whether what a completed trial left is within the limits on models.
        most: trials that the search may run, None for any number.
        epoch: seconds that it takes about to show a trial all of the data; 0 where that is unknown.
        first: configurations to be trained before the portfolio's where nothing was compared.
        allotments: how the time is shared.
    """

    def __init__(
        self,
        search: Proposer,
        space: SearchSpace,
        *,
        deadline: Deadline,
        reserve: Callable[[], float],
        objective: Objective,
        may_win: Callable[[TrialResult], bool] = lambda result: True,
        most: int | None = None,
        epoch: float = 0.0,
        first: Iterable[Proposal] = (),
        time_allocation: TimeAllocation | None = None,
    ) -> None:
        self._search, self._space = search, space
        self._deadline, self._reserve = deadline, reserve
        self._objective = objective
        self._may_win, self._most = may_win, math.inf if most is None else most
        self._time_allocation, self._epoch = time_allocation or TimeAllocation(), epoch
        self._anytime = anytime_algorithms(space)
        self._defaults = (*(known for known in first if known.algorithm in self._anytime), *self._listed())
        self._open: set[int] = set()
        self._final: int | None = None
        self._begun: float | None = None
        self._seconds: float | None = None
        self._has_model = False
        self._failures = 0
        self._found: list[tuple[float, Record]] = []
        self._spoiled: list[Proposal | Record] = []
        self._asked: tuple[Proposal, Proposal] | None = None

    # What is proposed

    def propose(self, number: int, admits: Admits) -> Proposal | None:
        if self._final is not None:
            return None
        plan, left = self._plan(), self._left()
        if not self._is_due(number, plan, left):
            proposal = self._explore(number, admits, plan, left)
            if proposal is not None or self._open:
                return proposal
        if self._open:
            return None
        return self._last(admits) if plan.final_training > 0 else None

    @property
    def exhausted(self) -> bool:
        return self._search.exhausted and self._final is None and not self._is_possible()

    def _left(self) -> float:
        return self._deadline.remaining() - self._reserve()

    def _plan(self) -> Allocation:
        """Divide the time since the search began, or since its latest final training."""
        if self._begun is None:
            self._begun = self._deadline.spent()
        plan = self._time_allocation.of(self._left() + self._deadline.spent() - self._begun, epoch=self._epoch)
        if self._seconds is not None:  # equal allotments, though the reserve changes
            plan = replace(plan, seconds=self._seconds)
        return plan if self._is_possible() else replace(plan, final_training=0.0)

    def _is_possible(self) -> bool:
        worthwhile = self._left() >= self._time_allocation.least_final_training and self._failures < _MOST_FAILURES
        return worthwhile and next(self._candidates(), None) is not None

    def _is_due(self, number: int, plan: Allocation, left: float) -> bool:
        if plan.final_training <= 0:
            return False
        if left <= plan.final_training or number + 1 >= self._most or self._search.exhausted:
            return True
        return plan.seconds is None and (self._has_model or len(self._anytime) == len(self._space.algorithms))

    def _explore(self, number: int, admits: Admits, plan: Allocation, left: float) -> Proposal | None:
        alone = plan.seconds is None and plan.final_training > 0  # one quick model is enough, and has all cores
        if alone and self._open:
            return None
        rest, seconds = left - plan.final_training, plan.seconds

        def fits(
            algorithm: str,
            params: Mapping[str, Any] | None = None,
            *,
            within: float = math.inf,
            fidelity: float = 1.0,
        ) -> bool:
            if algorithm in self._anytime:
                return seconds is not None and seconds <= min(rest, within) and admits(algorithm, params)
            return admits(algorithm, params, within=min(rest, within), fidelity=fidelity)

        proposal = self._search.propose(number, fits)
        if proposal is None:
            return None
        anytime = proposal.algorithm in self._anytime
        until = round(self._deadline.spent() + min(left, rest + self._time_allocation.grace), 3)
        stage = Stage(seconds=seconds) if anytime else Stage(alone=alone, until=until)
        staged = replace(proposal, stage=stage)
        self._asked = (staged, proposal)
        return staged

    def _last(self, admits: Admits) -> Proposal | None:
        """The final training."""
        fitting = (known for known in self._candidates() if admits(known.algorithm, known.params))
        return next(fitting, None)

    def _candidates(self) -> Iterator[Proposal]:
        """Configurations that may be the final training, the best first; those that were never tried come last."""
        for _, record in sorted(self._found, key=lambda found: (found[0], found[1].number)):
            space = self._space.algorithms[record.algorithm]
            params = space.ask(FixedTrial(dict(record.suggested)), record.algorithm)
            proposal = Proposal(record.algorithm, params, record.suggested, record.distributions, parent=record.number)
            if not self._is_spoiled(proposal):
                yield replace(proposal, stage=Stage.final_training())
        tried = [record for _, record in self._found]
        for proposal in self._defaults:
            if not self._is_spoiled(proposal) and not any(proposal.same(record) for record in tried):
                yield replace(proposal, stage=Stage.final_training())

    def _is_spoiled(self, proposal: Proposal) -> bool:
        return any(proposal.same(other) for other in self._spoiled)

    def _listed(self) -> Iterator[Proposal]:
        """List what to train where nothing was compared: the portfolio's entries, then each algorithm's defaults."""
        for entry in self._space.portfolio:
            if entry.algorithm in self._anytime:
                space = self._space.algorithms[entry.algorithm]
                yield Proposal.of(entry.algorithm, space, self._space.configuration(entry))
        for name in sorted(self._anytime, key=lambda name: self._space.algorithms[name].cost):
            space = self._space.algorithms[name]
            yield Proposal.of(name, space, fitted(space, {}))

    # What comes back

    def accepted(self, number: int, proposal: Proposal) -> None:
        self._open.add(number)
        stage = proposal.stage
        asked, self._asked = self._asked, None
        if stage is not None and stage.final:
            self._begin(number, proposal)
            return
        if stage is not None and stage.seconds is not None:
            self._seconds = stage.seconds
        own = asked is not None and asked[0] is proposal
        self._search.accepted(number, asked[1] if asked is not None and own else proposal)

    def restore(self, record: Record) -> None:
        if self._begun is None:
            self._begun = record.elapsed
        running = not record.state.is_finished()
        if running:
            self._open.add(record.number)
        stage = record.stage
        if stage is not None and stage.final:
            self._begin(record.number if running else None, record)
            return
        if stage is not None and stage.seconds is not None:
            self._seconds = stage.seconds
        self._search.restore(record)

    def observe(self, record: Record, result: TrialResult) -> None:
        self._open.discard(record.number)
        self._has_model = self._has_model or (result.is_whole and self._may_win(result))
        stage = record.stage
        if stage is not None and stage.final:
            self._final = None if self._final == record.number else self._final
            if result.status is Status.COMPLETED:
                self._begun, self._seconds = result.elapsed, None
            else:
                self._failures += 1
            return
        if record.algorithm in self._anytime:
            if result.is_whole and self._may_win(result):
                assert result.value is not None
                self._found.append((self._objective.loss(result.value), record))
            elif result.status is not Status.CANCELLED:
                self._spoiled.append(record)
        self._search.observe(record, result)

    def _begin(self, number: int | None, what: Proposal | Record) -> None:
        self._final = number
        self._spoiled.append(what)

"""Population based training: configurations that change while their models are trained."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optuna.trial import FixedTrial

from automl.engine.samplers.perturb import drawn, perturbed
from automl.engine.space.space import SearchSpace
from automl.engine.study.history import Record
from automl.engine.study.proposal import Admits, Proposal, Proposer
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.seeds import derive

__all__ = ["PopulationProposer", "Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules by which a population lives.

    Attributes:
        members: how many there are.
        generations: trials of a member; the fidelity of its g-th, from 1, is g / generations.
        quantile: share of the members that are replaced, and share of those that replace them.
        resample: probability with which a replacement's parameter is drawn anew.
        factors: a replacement's numbers are multiplied by one of these.
    """

    members: int
    generations: int
    quantile: float
    resample: float
    factors: tuple[float, ...]


class PopulationProposer(Proposer):
    """Truncation selection (Jaderberg et al. 2017, arXiv:1711.09846, section 4.1.1), without a barrier.

    A member is a line of trials, each of which continues from the one before. When one has ended, the member is ranked
    among those of its population that have come as far by then. If it is among the worst it continues from a member
    drawn from the best, with its checkpoint and perturbed configuration; else from its own, unchanged. A failed one is
    replaced by one of the best. What is furthest behind is proposed first, so that a rank is among as many as possible.
    After a population's last generation comes a fresh population.

    A trial's place is in its notes (population, member, generation, from 0), which the journal keeps: a resumed search
    continues with the same populations.

    Args:
        space: algorithms and their parameters; a replacement has the algorithm of the member that it continues from.
        objective: the primary metric.
        seed: the experiment's seed.
    """

    exhausted = False

    def __init__(self, space: SearchSpace, rules: Rules, *, objective: Objective, seed: int) -> None:
        self._spaces, self._rules, self._seed = space.algorithms, rules, seed
        self._objective = objective
        self._populations: dict[int, _Population] = {0: _Population(rules)}
        self._newest = 0

    def propose(self, number: int, admits: Admits) -> Proposal | None:
        draw = random.Random(derive(self._seed, "population", number))
        for proposal in self._candidates(draw, admits):
            if admits(proposal.algorithm, proposal.params, fidelity=self._work(proposal)):
                return proposal
        return None

    def _work(self, proposal: Proposal) -> float:
        """Share of the full work that a trial does: a training continues from its parent's, other fits begin anew."""
        if proposal.parent is None or not self._spaces[proposal.algorithm].anytime:
            return proposal.fidelity
        return proposal.fidelity - self._fidelity(
            self._populations[proposal.notes["population"]].generation(proposal.parent)
        )

    def _candidates(self, draw: random.Random, admits: Admits) -> Iterator[Proposal]:
        """List what could be next: first what is furthest behind."""
        for index, population in sorted(self._populations.items()):
            if population.started < self._rules.members:
                yield from self._fresh(index, population.started, draw, admits)
            for last in population.waiting():
                yield from self._successor(last, draw, admits)
        if self._populations[self._newest].started == self._rules.members:
            yield from self._fresh(self._newest + 1, 0, draw, admits)

    def accepted(self, number: int, proposal: Proposal) -> None:
        self._enter(number, proposal)

    def restore(self, record: Record) -> None:
        if _is_member(record.notes):
            params = self._spaces[record.algorithm].ask(FixedTrial(dict(record.suggested)), record.algorithm)
            self._enter(
                record.number,
                Proposal(record.algorithm, params, record.suggested, record.distributions, notes=record.notes),
            )

    def observe(self, record: Record, result: TrialResult) -> None:
        if not _is_member(record.notes):
            return
        error = None
        if result.status is Status.COMPLETED and result.value is not None:
            error = self._objective.loss(result.value)
        self._populations[record.notes["population"]].end(record.number, error)

    def _enter(self, number: int, proposal: Proposal) -> None:
        """Note a member's trial; those of other proposers are ignored."""
        if not _is_member(proposal.notes):
            return
        index = proposal.notes["population"]
        if index not in self._populations:
            self._populations = {known: p for known, p in self._populations.items() if not p.done}
            self._populations[index] = _Population(self._rules)
            self._newest = max(self._populations)
        step = _Step(number, proposal, proposal.notes["member"], proposal.notes["generation"])
        self._populations[index].enter(step)

    def _successor(self, last: _Step, draw: random.Random, admits: Admits) -> Iterator[Proposal]:
        """The trial that comes after `last` in its member's line."""
        index = last.proposal.notes["population"]
        parent = self._populations[index].parent_after(last, draw)
        if parent is None:
            yield from self._fresh(index, last.member, draw, admits)
            return
        generation = last.generation + 1
        lineage: dict[str, Any] = {
            "parent": parent.number,
            "fidelity": self._fidelity(generation),
            "notes": _place(index, last.member, generation),
        }
        known = parent.proposal
        if parent is last:
            yield Proposal(known.algorithm, known.params, known.suggested, known.distributions, **lineage)
            return
        space = self._spaces[known.algorithm]
        params = perturbed(
            space, known.params, draw.getrandbits(32), factors=self._rules.factors, resample=self._rules.resample
        )
        yield Proposal.of(known.algorithm, space, params, **lineage)

    def _fresh(self, population: int, member: int, draw: random.Random, admits: Admits) -> Iterator[Proposal]:
        """The first trial of a member, of an algorithm that is admitted."""
        able = [name for name in self._spaces if admits(name, fidelity=self._fidelity(0))]
        if not able:
            return
        algorithm = draw.choice(able)
        space = self._spaces[algorithm]
        params = drawn(space, draw.getrandbits(32))
        yield Proposal.of(
            algorithm, space, params, fidelity=self._fidelity(0), notes=_place(population, member, generation=0)
        )

    def _fidelity(self, generation: int) -> float:
        return (generation + 1) / self._rules.generations


def _place(population: int, member: int, generation: int) -> dict[str, int]:
    return {"population": population, "member": member, "generation": generation}


def _is_member(notes: Mapping[str, Any]) -> bool:
    return {"population", "member", "generation"} <= notes.keys()


@dataclass(slots=True)
class _Step:
    """A member's trial of one generation. `error` is smaller for better, None if it failed or runs."""

    number: int
    proposal: Proposal
    member: int
    generation: int
    ended: bool = False
    error: float | None = None


class _Population:
    """The members of one population, and what is known of each generation."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._steps: dict[int, _Step] = {}
        self._latest: dict[int, _Step] = {}
        self._completed: defaultdict[int, list[_Step]] = defaultdict(list)
        self.started = 0

    def enter(self, step: _Step) -> None:
        self._steps[step.number] = step
        if step.member not in self._latest or self._latest[step.member].number < step.number:
            self._latest[step.member] = step
        self.started = max(self.started, step.member + 1)

    def end(self, number: int, error: float | None) -> None:
        step = self._steps[number]
        step.ended, step.error = True, error
        if error is not None:
            self._completed[step.generation].append(step)

    def generation(self, number: int) -> int:
        """Return the generation of a trial."""
        return self._steps[number].generation

    @property
    def done(self) -> bool:
        """Every member has ended its last generation."""
        return self.started == self._rules.members and all(
            step.ended and self._is_last(step) for step in self._latest.values()
        )

    def waiting(self) -> Iterator[_Step]:
        """Trials that have ended and have no successor yet, of the members that are furthest behind first."""
        idle = [step for step in self._latest.values() if step.ended and not self._is_last(step)]
        return iter(sorted(idle, key=lambda step: (step.generation, step.member)))

    def parent_after(self, last: _Step, draw: random.Random) -> _Step | None:
        """Choose the trial that the successor of `last` continues from; None if it failed and so did all others."""
        known = self._ranked(last.generation)
        truncated = min(math.ceil(self._rules.quantile * len(known)), len(known) // 2)
        if last.error is None:
            known = known or next(filter(None, map(self._ranked, reversed(range(last.generation)))), [])
            return draw.choice(known[: max(1, truncated)]) if known else None
        if last in known[len(known) - truncated :]:
            return draw.choice(known[:truncated])
        return last

    def _ranked(self, generation: int) -> list[_Step]:
        """Return the trials that have completed a generation, best first."""
        return sorted(self._completed[generation], key=lambda step: (step.error, step.number))

    def _is_last(self, step: _Step) -> bool:
        return step.generation == self._rules.generations - 1

"""Proposals from a sampler: first an algorithm is chosen, then its own parameters are asked."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from optuna.trial import FixedTrial

from automl.engine.proposers.algorithm_study import AlgorithmStudy
from automl.engine.proposers.eci import EciSelector
from automl.engine.samplers.base import Sampler
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.engine.study.history import Record
from automl.engine.study.proposal import Admits, Proposal, Proposer
from automl.engine.trial.contract import TrialResult
from automl.engine.trial.objective import Objective
from automl.seeds import derive

__all__ = ["SamplerProposer", "make_proposer"]

_COUNTABLE = 1_000
"""Spaces up to this size are tried without repetition."""
_ATTEMPTS = 4
"""Draws of one algorithm when what was drawn would not end in time."""


def make_proposer(sampler: Sampler, space: SearchSpace, *, objective: Objective, seed: int, measured: bool) -> Proposer:
    """Return the proposer for `sampler`: one of its own, or `SamplerProposer`; for the arguments see there."""
    own = sampler.proposer(space, objective=objective, seed=seed, measured=measured)
    return SamplerProposer(space, sampler, objective=objective, seed=seed, measured=measured) if own is None else own


class SamplerProposer(Proposer):
    """Proposes from the search space for as long as something in it is untried.

    Args:
        space: algorithms and their parameters.
        sampler: who proposes parameters.
        objective: the primary metric.
        seed: the experiment's seed.
        measured: weigh algorithms by measured seconds, not by declared cost.
    """

    def __init__(
        self, space: SearchSpace, sampler: Sampler, *, objective: Objective, seed: int, measured: bool
    ) -> None:
        self._sampler, self._seed, self._spaces = sampler, seed, space.algorithms
        self._models = {
            name: AlgorithmStudy(name, algorithm, sampler, objective=objective)
            for name, algorithm in space.algorithms.items()
        }
        costs = {name: algorithm.cost for name, algorithm in space.algorithms.items()}
        self._choice = EciSelector(costs, objective=objective, seed=seed, measured=measured)
        layouts = {name: sampler.layout(algorithm) for name, algorithm in space.algorithms.items()}
        self._laid_out = {name for name, layout in layouts.items() if layout is not None}
        self._finite = {
            name: _Finite(name, algorithm, layouts[name] or algorithm)
            for name, algorithm in space.algorithms.items()
            if name in self._laid_out or ((size := algorithm.size()) is not None and size <= _COUNTABLE)
        }
        self._trials: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._asked: tuple[Proposal, int] | None = None

    def propose(self, number: int, admits: Admits) -> Proposal | None:
        """Propose a trial. What `admits` refuses is drawn again a few times, then another algorithm is chosen."""
        candidates = [name for name in self._models if not self._done(name) and admits(name)]
        while candidates:
            algorithm = self._choose(number, candidates)
            for attempt in range(_ATTEMPTS):
                proposal, local = self._draw(algorithm, number, attempt)
                if admits(algorithm, proposal.params):
                    self._asked = None if local is None else (proposal, local)
                    return proposal
                if local is not None:
                    self._models[algorithm].reject(local)
                    self._skipped[algorithm] += 1
            candidates.remove(algorithm)
        return None

    def _draw(self, algorithm: str, number: int, attempt: int) -> tuple[Proposal, int | None]:
        """A configuration, and the number that the model knows it by if it is the model's."""
        again = () if attempt == 0 else (attempt,)
        untried = derive(self._seed, "untried", number, *again)
        finite = self._finite.get(algorithm)
        if finite is not None and algorithm in self._laid_out:
            return finite.untried(untried), None
        model = self._models[algorithm]
        proposal, local = model.ask(
            derive(self._seed, "sampler", number, *again),
            stream=derive(self._seed, "stream", algorithm),
            index=self._trials[algorithm] + self._skipped[algorithm],
        )
        if finite is not None and finite.was_tried(proposal.params):
            model.withdraw(local)
            return finite.untried(untried), None
        return proposal, local

    @property
    def exhausted(self) -> bool:
        return all(self._done(name) for name in self._models)

    @property
    def learns(self) -> bool:
        return self._sampler.learns

    def accepted(self, number: int, proposal: Proposal) -> None:
        self._mark(proposal.algorithm, proposal.params)
        if self._asked is not None and self._asked[0] is proposal:
            self._models[proposal.algorithm].bind(number, self._asked[1])
        self._asked = None

    def observe(self, record: Record, result: TrialResult) -> None:
        self._models[record.algorithm].observe(
            record.number, record.suggested, record.distributions, record.state, record.value, result.progress
        )
        self._choice.observe(record.algorithm, result.status, result.value, result.seconds)

    def restore(self, record: Record) -> None:
        space = self._spaces[record.algorithm]
        self._mark(record.algorithm, space.ask(FixedTrial(dict(record.suggested)), record.algorithm))
        if not record.state.is_finished():
            self._models[record.algorithm].observe(
                record.number, record.suggested, record.distributions, record.state, None
            )

    def _choose(self, number: int, candidates: list[str]) -> str:
        if self._sampler.learns:
            return self._choice.choose(number, candidates)
        return random.Random(derive(self._seed, "algorithm", number)).choice(candidates)

    def _mark(self, algorithm: str, params: Mapping[str, Any]) -> None:
        self._trials[algorithm] += 1
        if algorithm in self._finite:
            self._finite[algorithm].mark(params)

    def _done(self, algorithm: str) -> bool:
        return algorithm in self._finite and self._finite[algorithm].done


class _Finite:
    """A space with countably few configurations, and which of them were tried.

    They are told apart by their real values: of a stepped logarithmic range, many suggested values mean the same.

    Args:
        space: the algorithm's.
        layout: the configurations to try, all in `space`.
    """

    def __init__(self, algorithm: str, space: AlgorithmSpace, layout: AlgorithmSpace) -> None:
        self._left: dict[str, Proposal] = {}
        for params in layout.configurations():
            trial = FixedTrial(space.encode(params, algorithm))
            real = space.ask(trial, algorithm)
            self._left[_key(real)] = Proposal(algorithm, real, trial.params, trial.distributions)

    @property
    def done(self) -> bool:
        return not self._left

    def mark(self, params: Mapping[str, Any]) -> None:
        self._left.pop(_key(params), None)

    def was_tried(self, params: Mapping[str, Any]) -> bool:
        return _key(params) not in self._left

    def untried(self, seed: int) -> Proposal:
        return random.Random(seed).choice(list(self._left.values()))


def _key(params: Mapping[str, Any]) -> str:
    return json.dumps(params, sort_keys=True, default=repr)

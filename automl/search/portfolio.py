"""Good configurations from experience, tried in order before any sampler has data."""

from __future__ import annotations

from optuna.trial import FixedTrial

from automl.search.history import Record
from automl.search.proposal import Admits, Proposal, Proposer
from automl.space.space import SearchSpace

__all__ = ["Portfolio"]


class Portfolio(Proposer):
    """The space's portfolio. An entry that would not end in time is left for later."""

    def __init__(self, space: SearchSpace) -> None:
        self._left: list[Proposal] = []
        for entry in space.portfolio:
            algorithm = space.algorithms[entry.algorithm]
            trial = FixedTrial(algorithm.encode(space.configuration(entry), entry.algorithm))
            params = algorithm.ask(trial, entry.algorithm)
            self._left.append(Proposal(entry.algorithm, params, trial.params, trial.distributions))

    def propose(self, number: int, admits: Admits) -> Proposal | None:
        return next((proposal for proposal in self._left if admits(proposal.algorithm)), None)

    @property
    def exhausted(self) -> bool:
        return not self._left

    def accepted(self, number: int, proposal: Proposal) -> None:
        if proposal in self._left:
            self._left.remove(proposal)

    def restore(self, record: Record) -> None:
        self._left = [
            proposal
            for proposal in self._left
            if proposal.algorithm != record.algorithm or dict(proposal.suggested) != dict(record.suggested)
        ]

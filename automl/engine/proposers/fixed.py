"""Configurations that are known beforehand, tried in order."""

from __future__ import annotations

from collections.abc import Iterable

from automl.engine.study.history import Record
from automl.engine.study.proposal import Admits, Proposal, Proposer

__all__ = ["FixedProposer"]


class FixedProposer(Proposer):
    """Proposes each of `proposals` once. One that would not end in time is left for later.

    A configuration that another proposer was quicker with is not tried again.

    Attributes:
        proposals: all of them, in order.
    """

    def __init__(self, proposals: Iterable[Proposal]) -> None:
        self.proposals = tuple(proposals)
        self._left = list(self.proposals)

    def propose(self, number: int, admits: Admits) -> Proposal | None:
        return next((proposal for proposal in self._left if admits(proposal.algorithm, proposal.params)), None)

    @property
    def exhausted(self) -> bool:
        return not self._left

    @property
    def learns(self) -> bool:
        return False

    def accepted(self, number: int, proposal: Proposal) -> None:
        self._strike(proposal)

    def restore(self, record: Record) -> None:
        self._strike(record)

    def _strike(self, tried: Proposal | Record) -> None:
        if tried.fidelity == 1.0:
            self._left = [proposal for proposal in self._left if not proposal.same(tried)]

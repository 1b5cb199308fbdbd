"""Proposals, and the proposers that make them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from optuna.distributions import BaseDistribution
from optuna.trial import FixedTrial

from automl.engine.space.space import AlgorithmSpace
from automl.engine.study.history import Record
from automl.engine.trial.contract import TrialResult
from automl.engine.trial.stage import Stage

__all__ = ["Admits", "Proposal", "Proposer", "ProposerChain"]


class Admits(Protocol):
    """A test for whether a trial would end in time."""

    def __call__(
        self,
        algorithm: str,
        params: Mapping[str, Any] | None = None,
        *,
        within: float = math.inf,
        fidelity: float = 1.0,
    ) -> bool:
        """Tell whether a trial may start: of this very configuration with `params` (real values by plain name), else of
        the algorithm at large.

        Args:
            within: seconds that it may take where that is less than what the search has left.
            fidelity: share of the full work that it does.
        """


@dataclass(frozen=True, slots=True)
class Proposal:
    """A configuration that may become a trial.

    Attributes:
        params: real values by plain name.
        suggested: the same as Optuna knows it.
        parent: the trial it continues from, which has ended.
        fidelity: share of the full work, in (0, 1].
        stage: the part of its search that it belongs to; None where the search has no parts.
        notes: what its proposer says of it, as JSON values: kept in the journal and in params.json.
    """

    algorithm: str
    params: Mapping[str, Any]
    suggested: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    parent: int | None = None
    fidelity: float = 1.0
    stage: Stage | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, algorithm: str, space: AlgorithmSpace, params: Mapping[str, Any], **lineage: Any) -> Self:
        """A proposal of the real values `params`, which must be complete.

        Args:
            lineage: `parent`, `fidelity`, `stage` and `notes`.

        Raises:
            SpaceError: they are not in `space`.
        """
        trial = FixedTrial(space.encode(params, algorithm))
        real = space.ask(trial, algorithm)
        return cls(algorithm, real, trial.params, trial.distributions, **lineage)

    def same(self, other: Proposal | Record) -> bool:
        """Tell whether it is the same configuration, wherever either comes from."""
        return self.algorithm == other.algorithm and dict(self.suggested) == dict(other.suggested)


class Proposer(ABC):
    """Proposes configurations and is told about every trial, its own and others'."""

    @abstractmethod
    def propose(self, number: int, admits: Admits) -> Proposal | None:
        """The configuration of trial `number`; None if there is nothing that `admits` accepts.

        What is proposed depends on the seed, the number, and what was accepted and observed before.
        """

    @property
    @abstractmethod
    def exhausted(self) -> bool:
        """True if nothing is left to propose, whatever is admitted."""

    @property
    def learns(self) -> bool:
        """True if its proposals depend on results: it should not be asked before a worker is free."""
        return True

    def accepted(self, number: int, proposal: Proposal) -> None:  # noqa: B027 - optional
        """Note that `proposal` (of any proposer) has become trial `number`."""

    def observe(self, record: Record, result: TrialResult) -> None:  # noqa: B027 - optional
        """Note that a trial has ended."""

    def restore(self, record: Record) -> None:  # noqa: B027 - optional
        """Note a trial that was proposed in an earlier session; `observe` follows when it has ended."""


class ProposerChain(Proposer):
    """Asks each proposer in turn until one has something."""

    def __init__(self, proposers: Sequence[Proposer]) -> None:
        self._proposers = tuple(proposers)

    def propose(self, number: int, admits: Admits) -> Proposal | None:
        for proposer in self._proposers:
            if (proposal := proposer.propose(number, admits)) is not None:
                return proposal
        return None

    @property
    def exhausted(self) -> bool:
        return all(proposer.exhausted for proposer in self._proposers)

    @property
    def learns(self) -> bool:
        return any(proposer.learns for proposer in self._proposers)

    def accepted(self, number: int, proposal: Proposal) -> None:
        for proposer in self._proposers:
            proposer.accepted(number, proposal)

    def observe(self, record: Record, result: TrialResult) -> None:
        for proposer in self._proposers:
            proposer.observe(record, result)

    def restore(self, record: Record) -> None:
        for proposer in self._proposers:
            proposer.restore(record)

"""Good configurations from experience, tried in order before any sampler has data."""

from __future__ import annotations

from automl.engine.proposers.fixed import FixedProposer
from automl.engine.space.space import SearchSpace
from automl.engine.study.proposal import Proposal

__all__ = ["Portfolio"]


class Portfolio(FixedProposer):
    """The space's portfolio."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(
            Proposal.of(entry.algorithm, space.algorithms[entry.algorithm], space.configuration(entry))
            for entry in space.portfolio
        )

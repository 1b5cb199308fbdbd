"""Good configurations from experience, tried in order before any sampler has data."""

from __future__ import annotations

from automl.search.listed import Listed
from automl.search.proposal import Proposal
from automl.space.space import SearchSpace

__all__ = ["Portfolio"]


class Portfolio(Listed):
    """The space's portfolio."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(
            Proposal.of(entry.algorithm, space.algorithms[entry.algorithm], space.configuration(entry))
            for entry in space.portfolio
        )

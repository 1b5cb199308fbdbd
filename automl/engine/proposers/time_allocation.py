"""The division of a search's time budget among fits that last as long as they are given.

Such an algorithm (`AlgorithmSpace.anytime`: a net) is worth what it is given, and the search has one budget for all
of them. So its configurations are compared by short trainings of equal length, and the best one gets the last and
largest part of the time, with the whole machine: the final training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

__all__ = ["Allocation", "TimeAllocation"]


@dataclass(frozen=True, slots=True)
class Allocation:
    """The shares of one period of a search.

    Attributes:
        seconds: of an exploring trial of an anytime algorithm; None: none is worth while.
        final_training: seconds that are kept for the final training.
    """

    seconds: float | None
    final_training: float


@dataclass(frozen=True, slots=True)
class TimeAllocation:
    """The rule by which a search's seconds are shared. All constants of it are here.

    What a share s of the time costs a net's score is about what it gains from a doubling of its time, times
    -log2(1 - s): 0.15 of a doubling for a tenth, 0.32 for a fifth, 0.42 for a quarter. What it buys is a choice between
    configurations, which is only worth something where an allotment shows a good part of an epoch.

    Attributes:
        explores_from: seconds of a search from which configurations are compared at all. With less the portfolio's
            first entry is a better guess than the winner of a comparison, which costs more than it buys.
        epochs: times that an allotment has to show all of the data, for the same reason.
        exploring: share of the time until the final training begins, where configurations are compared.
        part: share of the time that one of them gets, so that each slot compares three.
        least: seconds that one gets at least.
        safe: share of the time within which, where nothing is compared, a quick model has to be found before the
            final training begins.
        least_final_training: seconds that a final training is worth.
        grace: seconds for which it waits for an exploring trial that should be over. To end one by force costs its
            worker, and a new one takes seconds to start.
    """

    explores_from: float = 240.0
    epochs: float = 3.0
    exploring: float = 0.2
    part: float = 1 / 15
    least: float = 15.0
    safe: float = 0.25
    least_final_training: float = 10.0
    grace: float = 5.0

    @classmethod
    def without_final_training(cls) -> Self:
        """Equal allotments to the end, however short."""
        return cls(explores_from=0.0, epochs=0.0, exploring=1.0)

    def of(self, whole: float, *, epoch: float = 0.0) -> Allocation:
        """The plan for a search, or what is left of one, of `whole` seconds.

        Args:
            epoch: seconds that it takes about to show a trial all of the data; 0 where that is unknown.
        """
        seconds = max(self.least, self.part * whole)
        if whole < self.explores_from or seconds < self.epochs * epoch:
            return Allocation(None, (1.0 - self.safe) * whole)
        return Allocation(round(seconds, 1), (1.0 - self.exploring) * whole)

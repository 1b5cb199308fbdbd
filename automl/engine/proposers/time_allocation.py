"""How a search with a time budget shares its seconds among fits that last as long as they are given.

Such an algorithm (`AlgorithmSpace.stretches`: a net) is worth what it is given, and the search has one budget for all
of them. So its configurations are compared by short trainings of equal length, and the best one gets the last and
largest part of the time, with the whole machine: the finale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

__all__ = ["Allotment", "Allotments"]


@dataclass(frozen=True, slots=True)
class Allotment:
    """What one stretch of a search gives to whom.

    Attributes:
        seconds: of an exploring trial of an algorithm that stretches; None: none is worth while.
        finale: seconds that are kept for the finale.
    """

    seconds: float | None
    finale: float


@dataclass(frozen=True, slots=True)
class Allotments:
    """The rule by which a search's seconds are shared. All constants of it are here.

    What a share s of the time costs a net's score is about what it gains from a doubling of its time, times
    -log2(1 - s): 0.15 of a doubling for a tenth, 0.32 for a fifth, 0.42 for a quarter. What it buys is a choice between
    configurations, which is only worth something where an allotment shows a good part of an epoch.

    Attributes:
        explores_from: seconds of a search from which configurations are compared at all. With less the portfolio's
            first entry is a better guess than the winner of a comparison, which costs more than it buys.
        epochs: times that an allotment has to show all of the data, for the same reason.
        exploring: share of the time until the finale begins, where configurations are compared.
        part: share of the time that one of them gets, so that each slot compares three.
        least: seconds that one gets at least.
        safe: share of the time within which, where nothing is compared, a quick model has to be found before the
            finale begins.
        least_finale: seconds that a finale is worth.
        grace: seconds for which it waits for an exploring trial that should be over. To end one by force costs its
            worker, and a new one takes seconds to start.
    """

    explores_from: float = 240.0
    epochs: float = 3.0
    exploring: float = 0.2
    part: float = 1 / 15
    least: float = 15.0
    safe: float = 0.25
    least_finale: float = 10.0
    grace: float = 5.0

    @classmethod
    def without_finale(cls) -> Self:
        """Equal allotments to the end, however short."""
        return cls(explores_from=0.0, epochs=0.0, exploring=1.0)

    def of(self, whole: float, *, epoch: float = 0.0) -> Allotment:
        """The plan for a search, or what is left of one, of `whole` seconds.

        Args:
            epoch: seconds that it takes about to show a trial all of the data; 0 where nobody knows.
        """
        seconds = max(self.least, self.part * whole)
        if whole < self.explores_from or seconds < self.epochs * epoch:
            return Allotment(None, (1.0 - self.safe) * whole)
        return Allotment(round(seconds, 1), (1.0 - self.exploring) * whole)

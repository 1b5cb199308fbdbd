"""The time and epochs that one fit may use."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from automl.errors import SpaceError
from automl.learning.algorithms.nets.predicting import TestTimeAugmentation

if TYPE_CHECKING:
    from automl.learning.algorithms.progress import Progress

__all__ = ["EPOCHS", "TrainingBudget"]

EPOCHS = 20
"""Number of epochs where neither a number nor a time is given."""

_MOST_EPOCHS = 200
"""Most epochs, however much time there is: what more of them bring, another configuration may bring sooner."""

_BUSIER = 1.2
"""The factor by which the machine may predict more slowly after the training than before it."""

_LOOKING = 0.08
"""Share of a fit's time that its predictions may take; above it, the net does not look at moved pictures. On pictures
held out of CIFAR10's training part these bring 0.3 points, about what a tenth more time for the training brings."""

_LOOKING_AT_MOST = 0.5
"""The same of a fit that does not fill its time, whose predictions depend on the clock only where they have to."""

_MARGIN = 0.15
_MARGIN_SHARE = 0.005
"""Seconds, and share of its time, that a fit leaves unused beside the predictions: some steps take longer."""


@dataclass(frozen=True, slots=True)
class TrainingBudget:
    """Time and epochs of one fit.

    Attributes:
        ends: the moment at which all has to be over, by the clock of `time.monotonic`; `math.inf` for none.
        epochs: at most so many.
        fills: whether the training is as long as the time that it has.
        predictions: how many times the rows that wait are predicted within that time.
    """

    ends: float
    epochs: int
    fills: bool
    predictions: float

    @classmethod
    def of(cls, epochs: int | None, seconds: float | None, progress: Progress | None) -> Self:
        """Return what the settings of a fit and its observer allow, from now on.

        Raises:
            SpaceError: `epochs` is below 1.
        """
        if epochs is not None and epochs < 1:
            raise SpaceError(f"epochs is {epochs}, and has to be at least 1.", key="epochs")
        limit = math.inf if seconds is None else seconds
        left = limit if progress is None else min(limit, progress.seconds_left)
        anytime = progress is not None and progress.anytime and math.isfinite(progress.seconds_left)
        fills = epochs is None and (seconds is not None or anytime)
        most = epochs if epochs is not None else _MOST_EPOCHS if fills else EPOCHS
        return cls(time.monotonic() + left, most, fills, 1.0 if progress is None else progress.predictions)

    @property
    def seconds(self) -> float:
        """Seconds that are left."""
        return self.ends - time.monotonic()

    @property
    def is_limited(self) -> bool:
        return math.isfinite(self.ends)

    def for_training(
        self, views: TestTimeAugmentation, view: float, *, deterministic: bool = False
    ) -> tuple[Self, TestTimeAugmentation]:
        """Return what is left beside the predictions, and the views of these: fewer where all would take too long.

        Args:
            view: seconds to predict the rows that wait, one view of each.
            deterministic: all views, however long they take.
        """
        seconds, each = self.seconds, _BUSIER * self.predictions * view
        most = (_LOOKING if self.fills else _LOOKING_AT_MOST) * seconds
        if each * len(views) > most and not deterministic:
            views = TestTimeAugmentation(views.flip)
        return replace(self, ends=self.ends - _MARGIN - _MARGIN_SHARE * seconds - each * len(views)), views

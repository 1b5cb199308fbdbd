"""How a fit that goes in rounds says how far it is, and learns that it should end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Protocol

import numpy as np

__all__ = ["Progress", "Rounds"]

_REPORTS = 10


class Progress(Protocol):
    """What a learner's fit talks to. It runs in the fit's own thread."""

    @property
    def wanted(self) -> bool:
        """True if `report` is worth the predictions that it may ask for."""

    def should_stop(self) -> bool:
        """True if the fit is to end now, and keep what it has. Asked after each round."""

    def report(self, fraction: float, predict: Callable[[], np.ndarray]) -> None:
        """The fit has done `fraction` of its rounds; `predict()` gives the validation rows' predictions so far."""


class Rounds:
    """Ten reports spread over the rounds of a fit.

    Args:
        progress: who is told; None if nobody is.
        total: rounds of the whole fit.
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        wanted = progress is not None and progress.wanted and total > _REPORTS
        self._due = frozenset(total * i // _REPORTS for i in range(1, _REPORTS)) if wanted else frozenset()
        self._count = itertools.count(1)

    def after(self, predict: Callable[[], np.ndarray] | None) -> bool:
        """Call at the end of each round. True: end the fit here.

        Args:
            predict: see `Progress.report`; None if the library cannot predict before its fit is over.
        """
        if self._progress is None:
            return False
        done = next(self._count)
        if predict is not None and done in self._due:
            self._progress.report(done / self._total, predict)
        return done < self._total and self._progress.should_stop()

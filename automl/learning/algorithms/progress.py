"""The exchange with a fit that goes in rounds: it says how far it is, and learns that it should end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

__all__ = ["Checkpoints", "Progress", "Rounds"]

_REPORTS = 10


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The folders in which a fit keeps its state.

    Attributes:
        own: folder for what this fit can continue from when its trial is run again; it is there.
        parent: that of the trial which this one continues, to be read only; None without one.
    """

    own: Path
    parent: Path | None = None


class Progress(Protocol):
    """The object that a learner's fit talks to. It runs in the fit's own thread."""

    @property
    def wanted(self) -> bool:
        """True if `report` is worth the predictions that it may ask for."""

    @property
    def seconds_left(self) -> float:
        """Seconds until the fit, predicting and scoring have to be over; `math.inf` if nothing limits them."""

    @property
    def anytime(self) -> bool:
        """True: a fit that can choose its length should take all of `seconds_left`. False: they are only its limit."""

    @property
    def fidelity(self) -> float:
        """Share of the whole training after which one that can continue later is to end, in (0, 1]."""

    @property
    def predictions(self) -> float:
        """The rows that the fitted model has to predict in `seconds_left`, as a multiple of the validation rows: 1 for
        these alone, more where it is to be tested as well.
        """

    @property
    def checkpoints(self) -> Checkpoints | None:
        """The folders for what the fit can continue from; None if it is not kept."""

    def should_stop(self) -> bool:
        """True if the fit is to end now, and keep what it has. Asked after each round."""

    def report(self, fraction: float, predict: Callable[[], np.ndarray]) -> None:
        """The fit has done `fraction` of its rounds; `predict()` gives the validation rows' predictions so far."""


class Rounds:
    """Ten reports spread over the rounds of a fit.

    Args:
        progress: what is told; None if nothing is.
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

"""The circumstances that every reader is told: its deadline, and what watches it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from automl.deadline import Deadline
from automl.errors import DataError

__all__ = ["Reading"]


def _nobody(count: int) -> None:
    """Do nothing: bytes from the network are not waited for here."""


@dataclass(frozen=True)
class Reading:
    """The circumstances under which data is read.

    Attributes:
        deadline: the clock of a search that waits for it; None: there is no hurry.
        progress: show how far it is where that takes long, if standard error is a terminal.
        arrived: is told of every lot of bytes that has come over the network, and of -1 when all are here.
        began: reading of `time.monotonic()` when it began.
    """

    deadline: Deadline | None = None
    progress: bool = False
    arrived: Callable[[int], None] = field(default=_nobody, repr=False)
    began: float = field(default_factory=time.monotonic, repr=False)

    def remaining(self) -> float:
        """Seconds left; `math.inf` where there is no hurry."""
        return float("inf") if self.deadline is None else self.deadline.remaining()

    def check(self, what: str) -> None:
        """Raise if the time is over.

        Args:
            what: is being read, as it may be shown.

        Raises:
            DataError: it is.
        """
        if self.deadline is not None and self.deadline.passed():
            raise self.late(what)

    def late(self, what: str) -> DataError:
        """That reading `what` has outlasted the time budget."""
        assert self.deadline is not None
        took = time.monotonic() - self.began
        return DataError(
            f"Reading {what} has taken {took:.1f} s and is not done, and the time budget of "
            f"{self.deadline.budget:g} s is over: write a longer limits.time_budget, or read a smaller or nearer copy."
        )

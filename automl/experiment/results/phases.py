"""Planned against spent, phase by phase."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from automl.deadline import Deadline, tolerance

__all__ = ["Budget", "Phase", "Phases"]


@dataclass(frozen=True)
class Phase:
    """Seconds of one phase.

    `planned` is None where no time budget was given, and for what is over before anything can be planned: ``start`` and
    ``prepare``.
    """

    name: str
    planned: float | None
    spent: float

    def __str__(self) -> str:
        planned = "" if self.planned is None else f" of {self.planned:.1f}"
        return f"{self.name} {self.spent:.1f}{planned} s"


@dataclass(frozen=True)
class Budget:
    """The time budget: how it was meant to be used, and how it was.

    Attributes:
        seconds: the time budget, None without one.
        spent: seconds in all, earlier sessions included.
        phases: of this session, in order.
    """

    seconds: float | None
    spent: float
    phases: tuple[Phase, ...]

    @property
    def kept(self) -> bool:
        """True if the budget was kept within the one tolerance, max(0.5 s, 2%)."""
        return self.seconds is None or self.spent <= self.seconds + tolerance(self.seconds)

    def __str__(self) -> str:
        parts = ", ".join(str(phase) for phase in self.phases if phase.spent >= 0.05)  # no "0.0 s"
        of = "" if self.seconds is None else f" of {self.seconds:g} s"
        return f"{self.spent:.1f} s{of} ({parts})"


class Phases:
    """Measures phases as they pass.

    Args:
        deadline: the experiment's clock.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self._planned: dict[str, float] = {}
        self._spent: dict[str, float] = {}

    def plan(self, name: str, seconds: float) -> None:
        """Note what a phase is expected to take, nothing where the time is over already; the first plan counts."""
        if math.isfinite(seconds):
            self._planned.setdefault(name, max(0.0, seconds))

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        begin = time.monotonic()
        try:
            yield
        finally:
            self.add(name, time.monotonic() - begin)

    def add(self, name: str, seconds: float) -> None:
        self._spent[name] = self._spent.get(name, 0.0) + seconds

    def spent(self, name: str) -> float:
        return self._spent.get(name, 0.0)

    def budget(self) -> Budget:
        limited = self.deadline.limited
        phases = tuple(
            Phase(name, self._planned.get(name) if limited else None, round(spent, 3))
            for name, spent in self._spent.items()
        )
        return Budget(self.deadline.budget if limited else None, round(self.deadline.spent(), 3), phases)

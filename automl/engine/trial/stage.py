"""The part of a search that a trial belongs to, where the search has parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Stage"]

_EXPLORE, _FINAL = "explore", "final_training"
_LATE_SHARE = 1.5
_LATE_SECONDS = 15.0
"""An exploring trial is ended when it takes so many times what was allotted to its fit, and so much more: the import of
its library, features and files come on top."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The part of a search that a trial belongs to, as its notes say it: the journal keeps them for a resumed search.

    Attributes:
        final: it is a final training.
        alone: nothing runs beside it, so it has its machine to itself; a final training always has.
        seconds: of an exploring trial, what is allotted to its fit; None if its fit has a length of its own.
        until: reading of the experiment's clock, in seconds, at which such a trial has to be over.
    """

    final: bool = False
    alone: bool = False
    seconds: float | None = None
    until: float | None = None

    @classmethod
    def of(cls, notes: Mapping[str, Any]) -> Self | None:
        """None for a trial of a search without stages."""
        if "stage" not in notes:
            return None
        final = notes["stage"] == _FINAL
        return cls(final, final or notes.get("alone", False), notes.get("seconds"), notes.get("until"))

    @classmethod
    def final_training(cls) -> Self:
        return cls(final=True, alone=True)

    @property
    def notes(self) -> dict[str, Any]:
        if self.final:
            return {"stage": _FINAL}
        known = {"alone": self.alone or None, "seconds": self.seconds, "until": self.until}
        return {"stage": _EXPLORE, **{name: value for name, value in known.items() if value is not None}}

    @property
    def timeout(self) -> float:
        """Seconds after which its trial has not kept to its allotment."""
        return math.inf if self.seconds is None else _LATE_SHARE * self.seconds + _LATE_SECONDS

    def left(self, spent: float) -> float:
        """Seconds that it may still take when the experiment's clock says `spent`."""
        return math.inf if self.until is None else max(0.0, self.until - spent)

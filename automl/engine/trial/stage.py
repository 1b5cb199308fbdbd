"""The part of a search that a trial belongs to, where the search has parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

__all__ = ["Stage"]

_LATE_SHARE = 1.5
_LATE_SECONDS = 15.0
"""An exploring trial is ended when it takes so many times what was allotted to its fit, and so much more: the import of
its library, features and files come on top."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The part of a search that a trial belongs to. The journal and params.json keep it for a resumed search.

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
    def final_training(cls) -> Self:
        return cls(final=True, alone=True)

    @classmethod
    def read(cls, written: Mapping[str, Any] | None) -> Self | None:
        """The stage that `as_json` has written; None for a trial of a search without stages."""
        return None if written is None else cls(**written)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def timeout(self) -> float:
        """Seconds after which its trial has not kept to its allotment."""
        return math.inf if self.seconds is None else _LATE_SHARE * self.seconds + _LATE_SECONDS

    def left(self, spent: float) -> float:
        """Seconds that it may still take when the experiment's clock says `spent`."""
        return math.inf if self.until is None else max(0.0, self.until - spent)

"""The objective of a search: a metric, and the direction in which it is better."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

__all__ = ["Goal", "Objective"]

Goal = Literal["maximize", "minimize"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric, and whether larger values of it are better.

    Attributes:
        name: of the metric.
        maximize: its direction.

    >>> error = Objective("log_loss", maximize=False)
    >>> error.better(0.2, than=0.3), error.best([0.3, 0.2, 0.4]), error.goal
    (True, 0.2, 'minimize')
    """

    name: str
    maximize: bool = True

    @property
    def goal(self) -> Goal:
        """The direction as users write it."""
        return "maximize" if self.maximize else "minimize"

    @property
    def sign(self) -> float:
        """1.0 or -1.0: values times it are better the larger they are."""
        return 1.0 if self.maximize else -1.0

    def better(self, value: float, than: float) -> bool:
        """Tell whether `value` is strictly better."""
        return value > than if self.maximize else value < than

    def loss(self, value: float) -> float:
        """Return `value` as a number that is better the smaller it is."""
        return -value if self.maximize else value

    def best(self, values: Iterable[_T], key: Callable[[_T], float] = float) -> _T:  # type: ignore[assignment]
        """The best of `values`, the first of equal ones.

        Args:
            values: not empty.
            key: the value of each in the metric.
        """
        return min(values, key=lambda value: self.loss(key(value)))

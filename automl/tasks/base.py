"""A task: how a raw target becomes what is learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np

    from automl.data.guardrails import Guardrail

__all__ = ["Target", "Task"]


@dataclass(frozen=True, eq=False)
class Target:
    """A target, ready to be learned.

    Attributes:
        values: int64 codes into `classes`, or float64 values; shape (n,).
        classes: original labels in sorted order, shape (k,); None for regression.
        positive: code of the positive class. It matters for two classes only.
    """

    values: np.ndarray
    classes: np.ndarray | None = None
    positive: int = 1

    @property
    def n_classes(self) -> int | None:
        return None if self.classes is None else len(self.classes)


class Task(ABC):
    """One kind of problem.

    Attributes:
        name: what the user calls it.
        space_name: the search space that is shipped for it.
        stratify: True if splits should keep the shares of the target's values.
    """

    name: ClassVar[str]
    space_name: ClassVar[str]
    stratify: ClassVar[bool]

    @abstractmethod
    def default_metric(self, n_classes: int | None) -> str:
        """Name of the metric that decides where the user names none."""

    @abstractmethod
    def prepare(self, y: np.ndarray, *, name: str = "target", positive_label: Any = None) -> Target:
        """The target of a raw column.

        Args:
            y: one value per row, none missing; shape (n,).
            name: of the column, for messages.
            positive_label: the label that binary metrics look for; None for the last in sorted order.

        Raises:
            DataError: nothing can be learned from it, or it belongs to another task.
        """

    @abstractmethod
    def more(self, y: np.ndarray, target: Target, *, name: str = "target") -> np.ndarray:
        """The values of further rows, in the terms of `target`: codes into its classes, or float64 values; shape (n,).

        Args:
            y: raw, one value per row, none missing; shape (n,).

        Raises:
            DataError: they hold a class that `target` does not, or no numbers.
        """

    @abstractmethod
    def guardrails(self, target: Target) -> tuple[Guardrail, ...]:
        """What to know about the target before trusting a score."""

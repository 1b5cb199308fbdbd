"""A task: how a raw target becomes what is learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np

    from automl.learning.data.guardrails import Guardrail
    from automl.learning.data.options import DataOptions
    from automl.learning.data.reading.context import Reading
    from automl.learning.data.table import Table
    from automl.learning.validation.options import ValidationOptions

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
        """Number of classes; None for regression."""
        return None if self.classes is None else len(self.classes)


class Task(ABC):
    """One kind of problem.

    Attributes:
        name: what the user calls it.
        space_name: the search space that is shipped for it.
        stratify: True if splits should keep the shares of the target's values.
        packages: distributions that its models need when they predict, beside those of their algorithm.

    Example:
        >>> from automl.learning.tasks.regression import Regression
        >>> class Counts(Regression):
        ...     name = "counts"
        ...
        ...     def default_metric(self, n_classes):
        ...         return "mae"
        >>> import numpy as np
        >>> Counts().prepare(np.array([3, 0, 7])).values
        array([3., 0., 7.])
    """

    name: ClassVar[str]
    space_name: ClassVar[str]
    stratify: ClassVar[bool]
    packages: ClassVar[tuple[str, ...]] = ()

    @property
    def scored_as(self) -> str:
        """Name of the task whose metrics it has. Here its own."""
        return self.name

    def of_data(self, source: Any, options: DataOptions) -> str:
        """Name of the task that this one is on such data, told by its form alone: it is not read. Here its own.

        Args:
            source: as for `load`.
        """
        return self.name

    def load(
        self,
        source: Any,
        options: DataOptions,
        *,
        columns: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        fold_column: str | None = None,
        reading: Reading | None = None,
    ) -> Table:
        """Read data, and understand it. Here a table: see `automl.learning.data.load.load_table`.

        Args:
            reading: its circumstances: the clock of a search that waits for it, and whether to show how far it is.

        Raises:
            DataError: it cannot be read, or nothing can be learned from it.
        """
        from automl.learning.data.load import load_table

        return load_table(
            source, options, task=self.name, columns=columns, drop=drop, fold_column=fold_column, reading=reading
        )

    def load_like(
        self,
        source: Any,
        options: DataOptions,
        like: Table,
        *,
        what: str = "data",
        reading: Reading | None = None,
    ) -> Table:
        """More rows of the same kind. See `automl.learning.data.load.load_like`.

        Raises:
            DataError: they cannot be read, or are of another kind.
        """
        from automl.learning.data.load import load_like

        return load_like(source, options, like, what=what, reading=reading)

    def validation(self, options: ValidationOptions, table: Table) -> ValidationOptions:
        """Return how `table` is split where the user left it open. Here as `ValidationOptions` says."""
        return options

    def core_seconds(self, table: Table) -> float:
        """Seconds, to within a factor of a few, that one core needs to train on every row of `table` once, where
        models are trained for as long as there is time; 0 where they are not.
        """
        return 0.0

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
            DataError: they hold a class that `target` does not, or are not numbers.
        """

    @abstractmethod
    def guardrails(self, target: Target) -> tuple[Guardrail, ...]:
        """Report what to know about the target before trusting a score."""

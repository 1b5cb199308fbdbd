"""The inputs of an experiment from the caller's memory. Light to import: workers start before all else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from automl.engine.search.inputs import Inputs

if TYPE_CHECKING:
    from automl.learning.data.table import Table
    from automl.learning.validation.folds import SplitPlan

__all__ = ["LearningInputs"]


@dataclass(frozen=True)
class LearningInputs(Inputs):
    """Inputs that cannot be written in a file: objects from the caller's memory.

    Attributes:
        data: a table, (X, y) or arrays; None if the configuration names a source.
        roles: objects for ``data.test``, ``data.weight``, ``data.group`` and ``data.time``.
        validation: a table, or (X, y), for ``validation.source``.
        saved: the copy of data from memory that a resumed experiment continues with, rows of ``validation.source`` at
            its end, and how it was split.
        metrics: callables by the name under which the configuration lists them.
    """

    data: Any = None
    roles: Mapping[str, Any] = field(default_factory=dict)
    validation: Any = None
    saved: tuple[Table, SplitPlan] | None = None
    metrics: Mapping[str, Callable[..., float]] | None = None

    @property
    def from_memory(self) -> bool:
        """True if there is anything that cannot be read again."""
        return self.data is not None or bool(self.roles) or self.validation is not None or self.saved is not None

"""Data that is ready to be learned from: rows, target, split, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automl.learning.data.guardrails import Guardrail
from automl.learning.data.table import Table
from automl.learning.metrics.base import Metric
from automl.learning.tasks.base import Target, Task
from automl.learning.validation.folds import SplitPlan

__all__ = ["PreparedData"]


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """Everything that trials depend on but for the space.

    Attributes:
        kind: the task, which knows what to make of a target.
        table: all rows that are trained on or validated with.
        target: the prepared target of these rows.
        plan: the rows of every fold.
        metrics: all that are logged; the first is the primary one.
        guardrails: what was found out about the data.
        test_values: of the rows of ``table.test``, in the terms of `target`; None without any.
        from_memory: the data cannot be read again, since it came as objects, or from a URL of which credentials or a
            query are not kept: a resumed session needs a copy.
        trust: estimators may be of any class.
    """

    kind: Task
    table: Table
    target: Target
    plan: SplitPlan
    metrics: tuple[Metric, ...]
    guardrails: tuple[Guardrail, ...]
    test_values: np.ndarray | None = None
    from_memory: bool = False
    trust: bool = False

    @property
    def primary(self) -> Metric:
        return self.metrics[0]

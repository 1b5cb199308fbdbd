"""Regression: a number for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from automl.errors import DataError
from automl.learning.tasks.base import Target, Task

if TYPE_CHECKING:
    from automl.learning.data.guardrails import Guardrail

__all__ = ["TASK", "Regression"]

_FEW = 10
"""So few distinct integers, on many rows, look like classes."""
_LARGEST = 1e100
"""Its square still has room to be summed over rows in float64."""


class Regression(Task):
    name = "regression"
    space_name = "tabular_regression"
    stratify = False

    def default_metric(self, n_classes: int | None) -> str:
        return "rmse"

    def prepare(self, y: np.ndarray, *, name: str = "target", positive_label: Any = None) -> Target:
        if positive_label is not None:
            raise DataError(f"A positive label is for classification; the target {name!r} is a regression's.")
        if len(y) == 0:
            raise DataError(f"The target {name!r} holds no value.")
        values = _usable(y, name)
        if values.min() == values.max():
            raise DataError(f"The target {name!r} has the same value {values[0]:g} in every row: nothing to learn.")
        return Target(values)

    def more(self, y: np.ndarray, target: Target, *, name: str = "target") -> np.ndarray:
        return _usable(y, name)

    def guardrails(self, target: Target) -> tuple[Guardrail, ...]:
        from automl.learning.data.guardrails import Guardrail, Verdict

        distinct = np.unique(target.values)
        text = f"{len(distinct)} distinct values from {distinct[0]:g} to {distinct[-1]:g}"
        if len(distinct) <= _FEW < len(target.values) / _FEW and (distinct == np.floor(distinct)).all():
            advice = "If they are classes, use task: classification."
            return (Guardrail("target_values", Verdict.ALERTED, f"{text}. {advice}"),)
        return (Guardrail("target_values", Verdict.PASSED, f"{text}."),)


def _usable(y: np.ndarray, name: str) -> np.ndarray:
    """float64, a new array of values that can be learned from.

    Raises:
        DataError: they are not numbers, missing, infinite or absurdly large.
    """
    values = _numbers(y, name)
    if np.isnan(values).any():
        raise DataError(f"The target {name!r} has {int(np.isnan(values).sum())} missing values.")
    too_large = np.abs(values) > _LARGEST
    if too_large.any():
        raise DataError(
            f"The target {name!r} holds {int(too_large.sum())} infinite or absurdly large values "
            f"(first in row {int(np.argmax(too_large))}): remove or correct them."
        )
    return values


def _numbers(y: np.ndarray, name: str) -> np.ndarray:
    """float64, a new array.

    Raises:
        DataError: they are not numbers.
    """
    if y.dtype.kind in "mM":
        raise DataError(f"The target {name!r} holds dates or durations: turn them into numbers of one unit first.")
    if y.dtype.kind == "b" or any(isinstance(value, bool | np.bool_) for value in y[:1]):
        raise DataError(f"The target {name!r} holds true and false, which are classes: use task: classification.")
    if y.dtype.kind in "iuf":
        return y.astype(np.float64)
    try:
        return np.array([float(value) for value in y], dtype=np.float64)
    except (TypeError, ValueError):
        bad = next(value for value in y if not _is_number(value))
        raise DataError(
            f"The target {name!r} holds {bad!r}, which is not a number: use task: classification, or correct it."
        ) from None


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


TASK = Regression()

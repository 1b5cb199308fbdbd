"""A user's own function as a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automl.errors import MetricError
from automl.learning.metrics.base import Needs
from automl.learning.metrics.predictions import ClassPredictions, ValuePredictions

__all__ = ["CustomFunction"]


@dataclass(frozen=True, eq=False)
class CustomFunction:
    """Calls ``function(y_true, y_pred)`` in the user's terms: original labels, or the probabilities scikit-learn's
    own metrics expect ((n,) of the positive class for two classes, (n, K) for more).

    Attributes:
        function: the user's.
        needs: what `y_pred` is; a regression's predictions are passed as they are.
        classes: (K,) original labels in the order of their codes; None passes the codes.
    """

    function: Callable[[Any, Any], float]
    needs: Needs
    classes: np.ndarray | None = None

    def with_classes(self, classes: np.ndarray) -> CustomFunction:
        return replace(self, classes=classes)

    def __call__(self, case: ClassPredictions | ValuePredictions) -> float:
        if isinstance(case, ValuePredictions):
            value = self.function(case.y_true, case.prediction)
        elif self.needs == "probabilities":
            two = case.n_classes == 2
            value = self.function(
                self._decode(case.y_true), case.prediction[:, case.positive] if two else case.prediction
            )
        else:
            value = self.function(self._decode(case.y_true), self._decode(case.labels))
        return _as_number(value, self.function)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        if self.classes is None:
            return codes
        labels: np.ndarray = self.classes[codes]
        return labels


def _as_number(value: Any, function: Callable[..., Any]) -> float:
    if not isinstance(value, float | int | np.floating | np.integer | np.bool_) and np.ndim(value) != 0:
        raise MetricError(
            f"The metric {getattr(function, '__name__', function)!s} returned {type(value).__name__}, "
            "not a number; it gets (y_true, y_pred) and must return one float."
        )
    return float(value)

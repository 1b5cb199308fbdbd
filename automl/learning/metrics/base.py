"""A metric: a name, a direction, and how to compute it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from automl.engine.trial.objective import Objective
from automl.learning.metrics.predictions import ClassPredictions, ValuePredictions

__all__ = ["CLASSIFICATION", "REGRESSION", "Metric", "Needs", "score_all"]

CLASSIFICATION = "classification"
REGRESSION = "regression"

Needs = Literal["labels", "probabilities", "values"]


@dataclass(frozen=True)
class Metric:
    """A way to score predictions.

    Attributes:
        name: what it is called in files, tables and charts.
        maximize: True if larger is better.
        needs: what of a prediction it looks at: the chosen labels, the probabilities, or a regression's values.
        tasks: the tasks that it belongs to.
        function: gets `ClassPredictions` or `ValuePredictions` and returns the score, nan where it is undefined.
        optimum: the best value there is, None if unknown.
        binary_only: True if it speaks of a positive class.

    Example:
        >>> import numpy as np
        >>> from automl.learning.metrics.registry import get_metric
        >>> accuracy = get_metric("accuracy", "classification")
        >>> accuracy.score(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]))
        0.6666666666666666
    """

    name: str
    maximize: bool
    needs: Needs
    tasks: frozenset[str]
    function: Callable[..., float]
    optimum: float | None = None
    binary_only: bool = False

    def score(
        self, y_true: np.ndarray, prediction: np.ndarray, *, positive: int = 1, weight: np.ndarray | None = None
    ) -> float:
        """The score of `prediction`, in the metric's own sign.

        Args:
            y_true: (n,) int codes 0..K-1 for classification, (n,) float for regression.
            prediction: (n, K) probabilities for classification, (n,) values for regression.
            positive: code of the positive class, for K = 2.
            weight: (n,) float, or None for ones.

        Returns:
            nan where the metric is undefined: a class is missing that it needs, or a prediction is not finite.
        """
        return score_all((self,), y_true, prediction, positive=positive, weight=weight)[self.name]

    @property
    def objective(self) -> Objective:
        """The metric as the engine knows it: its name and its direction."""
        return Objective(self.name, self.maximize)

    def with_classes(self, classes: np.ndarray | None) -> Metric:
        """The same metric, for a function that was written for original labels instead of codes.

        Args:
            classes: (K,) original labels in the order of their codes; None for regression.
        """
        bind: Callable[[np.ndarray], Callable[..., float]] | None = getattr(self.function, "with_classes", None)
        if bind is None or classes is None:
            return self
        return replace(self, function=bind(classes))

    @property
    def goal(self) -> Literal["maximize", "minimize"]:
        """The direction in words."""
        return "maximize" if self.maximize else "minimize"


def score_all(
    metrics: Iterable[Metric],
    y_true: np.ndarray,
    prediction: np.ndarray,
    *,
    positive: int = 1,
    weight: np.ndarray | None = None,
) -> dict[str, float]:
    """The scores of one prediction by many metrics, which share the confusion matrix and the sorted scores.

    The arguments are those of `Metric.score`.
    """
    metrics = tuple(metrics)
    prediction = np.asarray(prediction, dtype=np.float64)
    if y_true.shape[0] == 0 or not np.isfinite(prediction).all():
        return {metric.name: math.nan for metric in metrics}
    case: Any
    if prediction.ndim == 2:
        case = ClassPredictions(np.asarray(y_true, dtype=np.int64), prediction, positive, weight)
    else:
        case = ValuePredictions(np.asarray(y_true, dtype=np.float64), prediction, weight)
    with np.errstate(all="ignore"):
        return {metric.name: _score_one(metric, case) for metric in metrics}


def _score_one(metric: Metric, case: Any) -> float:
    if metric.binary_only and case.n_classes != 2:
        return math.nan
    return float(metric.function(case))

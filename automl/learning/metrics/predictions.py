"""The data that a metric sees: the truth, the predictions, and what several metrics share, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from automl.learning.metrics.ranking import Curve, area_under_roc, average_precision, threshold_curve

__all__ = ["ClassPredictions", "ValuePredictions", "choose_labels", "confusion_matrix"]


def choose_labels(probabilities: np.ndarray, positive: int = 1) -> np.ndarray:
    """The predicted class of each row: the positive one of two from 0.5 on, the most likely one of several.

    Args:
        probabilities: (n, K) float, one column per class.
        positive: code of the positive class, for K = 2.

    Returns:
        (n,) int64 codes.
    """
    if probabilities.shape[1] == 2:
        labels: np.ndarray = np.where(probabilities[:, positive] >= 0.5, positive, 1 - positive)
        return labels
    labels = np.argmax(probabilities, axis=1)
    return labels


def confusion_matrix(
    y_true: np.ndarray, labels: np.ndarray, n_classes: int, weight: np.ndarray | None = None
) -> np.ndarray:
    """Rows (or their weight) by true class and predicted class: (K, K) float64. Absent classes are rows of zeros."""
    cell = y_true * n_classes + labels
    counts = np.bincount(cell, weights=weight, minlength=n_classes * n_classes)
    return counts.reshape(n_classes, n_classes).astype(np.float64)


@dataclass(frozen=True, eq=False)
class ClassPredictions:
    """Predictions of one fold, or of all rows, of a classification.

    Attributes:
        y_true: (n,) int codes in 0..K-1; not every class has to occur.
        prediction: (n, K) float64 probabilities.
        positive: code of the positive class, for K = 2.
        weight: (n,) float, or None for ones.
    """

    y_true: np.ndarray
    prediction: np.ndarray
    positive: int = 1
    weight: np.ndarray | None = None

    @property
    def n_classes(self) -> int:
        return int(self.prediction.shape[1])

    @cached_property
    def labels(self) -> np.ndarray:
        return choose_labels(self.prediction, self.positive)

    @cached_property
    def confusion(self) -> np.ndarray:
        return confusion_matrix(self.y_true, self.labels, self.n_classes, self.weight)

    @cached_property
    def support(self) -> np.ndarray:
        """(K,) weight of the rows of each true class."""
        total: np.ndarray = self.confusion.sum(axis=1)
        return total

    @cached_property
    def predicted(self) -> np.ndarray:
        """(K,) weight of the rows that were given each class."""
        total: np.ndarray = self.confusion.sum(axis=0)
        return total

    @cached_property
    def hits(self) -> np.ndarray:
        """(K,) weight of the rows that were given their own class."""
        return np.diagonal(self.confusion)

    @cached_property
    def curves(self) -> tuple[Curve, ...]:
        """One against the rest, for each class."""
        return tuple(
            threshold_curve(self.y_true == code, self.prediction[:, code], self.weight)
            for code in range(self.n_classes)
        )

    @cached_property
    def pooled_curve(self) -> Curve:
        """Every pair of a row and a class as one decision, for micro averages."""
        flat_weight = None if self.weight is None else np.repeat(self.weight, self.n_classes)
        return threshold_curve(self.one_hot.ravel(), self.prediction.ravel(), flat_weight)

    @cached_property
    def one_hot(self) -> np.ndarray:
        """(n, K) bool."""
        hot: np.ndarray = self.y_true[:, None] == np.arange(self.n_classes)
        return hot

    @cached_property
    def class_auc(self) -> np.ndarray:
        """(K,) area under each class's ROC curve; nan for a class that holds no row, or all."""
        return np.array([area_under_roc(curve) for curve in self.curves])

    @cached_property
    def class_average_precision(self) -> np.ndarray:
        """(K,) average precision of each class; nan for a class that holds no row."""
        return np.array([average_precision(curve) for curve in self.curves])

    @cached_property
    def true_probability(self) -> np.ndarray:
        """(n,) probability that was given to the true class."""
        chosen: np.ndarray = self.prediction[np.arange(self.y_true.size), self.y_true]
        return chosen


@dataclass(frozen=True, eq=False)
class ValuePredictions:
    """Predictions of one fold, or of all rows, of a regression.

    Attributes:
        y_true: (n,) float64.
        prediction: (n,) float64.
        weight: (n,) float, or None for ones.
    """

    y_true: np.ndarray
    prediction: np.ndarray
    weight: np.ndarray | None = None

    def mean(self, values: np.ndarray) -> float:
        """Weighted mean over the rows."""
        return float(values.mean() if self.weight is None else np.average(values, weights=self.weight))

    @cached_property
    def error(self) -> np.ndarray:
        difference: np.ndarray = self.y_true - self.prediction
        return difference

    @cached_property
    def mean_squared_error(self) -> float:
        return self.mean(np.square(self.error))

    @cached_property
    def mean_absolute_error(self) -> float:
        return self.mean(np.abs(self.error))

    @cached_property
    def span(self) -> float:
        """Range of the true values: what normalized errors are divided by."""
        return float(np.ptp(self.y_true))

    @cached_property
    def logarithms(self) -> tuple[np.ndarray, np.ndarray] | None:
        """log(1 + y) of truth and prediction; None when a value is at or below -1, or a true one below 0."""
        if self.y_true.min() < 0 or self.prediction.min() <= -1:
            return None
        return np.log1p(self.y_true), np.log1p(self.prediction)

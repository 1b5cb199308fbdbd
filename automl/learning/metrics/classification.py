"""Metrics of classification.

Definitions are scikit-learn's; where scikit-learn raises because a class is missing from `y_true`, the mean is taken
over the classes for which the score is defined, and nan says that there is none. The retired cloud's own scores
(``norm_macro_recall``, ``weighted_accuracy``) follow its documentation of AutoML metrics.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np

from automl.learning.metrics.base import CLASSIFICATION, Metric, Needs
from automl.learning.metrics.predictions import ClassPredictions
from automl.learning.metrics.ranking import area_under_roc, average_precision, pair_auc

__all__ = ["METRICS"]

Average = Literal["binary", "macro", "micro", "weighted"]


def _by_class(numerator: np.ndarray, denominator: np.ndarray, case: ClassPredictions, average: Average) -> float:
    """A score with a value per class, averaged as scikit-learn does over the classes that occur or are predicted."""
    if average == "micro":
        return float(numerator.sum() / denominator.sum())
    values = np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator > 0)
    if average == "binary":
        return float(values[case.positive])
    if average == "weighted":
        return float(np.dot(values, case.support) / case.support.sum())
    return float(values[(case.support + case.predicted) > 0].mean())


def accuracy(case: ClassPredictions) -> float:
    return float(case.hits.sum() / case.support.sum())


def weighted_accuracy(case: ClassPredictions) -> float:
    """Accuracy in which every row counts as often as its class has rows."""
    return float(np.dot(case.hits, case.support) / np.dot(case.support, case.support))


def balanced_accuracy(case: ClassPredictions) -> float:
    there = case.support > 0
    return float((case.hits[there] / case.support[there]).mean())


def norm_macro_recall(case: ClassPredictions) -> float:
    """Macro recall, rescaled so that 0 is chance: (recall - 1/K) / (1 - 1/K)."""
    chance = 1.0 / case.n_classes
    return (balanced_accuracy(case) - chance) / (1.0 - chance)


def precision(case: ClassPredictions, average: Average) -> float:
    return _by_class(case.hits, case.predicted, case, average)


def recall(case: ClassPredictions, average: Average) -> float:
    return _by_class(case.hits, case.support, case, average)


def f1(case: ClassPredictions, average: Average) -> float:
    return _by_class(2 * case.hits, case.support + case.predicted, case, average)


def jaccard(case: ClassPredictions, average: Average) -> float:
    return _by_class(case.hits, case.support + case.predicted - case.hits, case, average)


def matthews_corrcoef(case: ClassPredictions) -> float:
    """Gorodkin's K-class correlation coefficient; 0 when truth or prediction is one class only."""
    total = case.support.sum()
    covariance = case.hits.sum() * total - np.dot(case.support, case.predicted)
    truth = total**2 - np.dot(case.support, case.support)
    guess = total**2 - np.dot(case.predicted, case.predicted)
    return float(covariance / math.sqrt(truth * guess)) if truth * guess > 0 else 0.0


def cohen_kappa(case: ClassPredictions) -> float:
    total = case.support.sum()
    expected = np.dot(case.support, case.predicted) / total**2
    return float((case.hits.sum() / total - expected) / (1.0 - expected)) if expected < 1 else math.nan


def log_loss(case: ClassPredictions) -> float:
    """Mean of -log of the true class's probability, clipped to one float64 epsilon from 0 and 1."""
    epsilon = np.finfo(np.float64).eps
    loss = -np.log(np.clip(case.true_probability, epsilon, 1.0 - epsilon))
    return float(np.average(loss, weights=case.weight))


def brier_score(case: ClassPredictions) -> float:
    """Mean squared distance to the one-hot truth; halved for two classes (the usual form, in [0, 1])."""
    distance = np.square(case.prediction - case.one_hot).sum(axis=1)
    return float(np.average(distance, weights=case.weight) / (2.0 if case.n_classes == 2 else 1.0))


def top_2_accuracy(case: ClassPredictions) -> float:
    """Share of the rows whose class is among the two most likely; of equal ones, the later class counts first."""
    ahead = case.prediction > case.true_probability[:, None]
    later = np.arange(case.n_classes) > case.y_true[:, None]
    tied = (case.prediction == case.true_probability[:, None]) & later
    return float(np.average((ahead | tied).sum(axis=1) < 2, weights=case.weight))


def _mean_defined(values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean of what is not nan; nan if nothing is left."""
    defined = ~np.isnan(values)
    if weights is None:
        return float(values[defined].mean()) if defined.any() else math.nan
    total = weights[defined].sum()
    return float(np.dot(values[defined], weights[defined]) / total) if total > 0 else math.nan


def roc_auc(case: ClassPredictions, average: Average) -> float:
    """Area under the ROC curve, each class against the rest."""
    if average == "binary":
        return float(case.class_auc[case.positive])
    if average == "micro":
        return area_under_roc(case.pooled_curve)
    return _mean_defined(case.class_auc, case.support if average == "weighted" else None)


def average_precision_score(case: ClassPredictions, average: Average) -> float:
    """Area under the precision-recall curve, without interpolation."""
    if average == "binary":
        return float(case.class_average_precision[case.positive])
    if average == "micro":
        return average_precision(case.pooled_curve)
    return _mean_defined(case.class_average_precision, case.support if average == "weighted" else None)


def roc_auc_one_vs_one(case: ClassPredictions, average: Average) -> float:
    """Hand and Till (2001): the mean AUC over all pairs of classes that occur. Rows' weights play no part."""
    codes, counts = np.unique(case.y_true, return_counts=True)
    rows = [np.flatnonzero(case.y_true == code) for code in codes]
    areas, shares = [], []
    for i, a in enumerate(codes):
        ordered = [np.sort(case.prediction[other, a]) for other in rows]
        for j, _ in enumerate(codes):
            if i != j:
                areas.append(pair_auc(case.prediction[rows[i], a], ordered[j]))
                shares.append(counts[i] + counts[j])
    if not areas:
        return math.nan
    return float(np.average(areas, weights=shares if average == "weighted" else None))


def _metric(
    name: str,
    function: Callable[[ClassPredictions], float],
    needs: Needs = "labels",
    *,
    maximize: bool = True,
    binary_only: bool = False,
) -> Metric:
    return Metric(name, maximize, needs, frozenset({CLASSIFICATION}), function, 1.0 if maximize else 0.0, binary_only)


def _averages(name: str, function: Callable[..., float], needs: Needs = "labels") -> tuple[Metric, ...]:
    """The binary form under the plain name, and the three averages."""
    return (
        _metric(name, partial(function, average="binary"), needs, binary_only=True),
        _metric(f"{name}_macro", partial(function, average="macro"), needs),
        _metric(f"{name}_micro", partial(function, average="micro"), needs),
        _metric(f"{name}_weighted", partial(function, average="weighted"), needs),
    )


METRICS: tuple[Metric, ...] = (
    _metric("accuracy", accuracy),
    _metric("balanced_accuracy", balanced_accuracy),
    _metric("weighted_accuracy", weighted_accuracy),
    _metric("norm_macro_recall", norm_macro_recall),
    _metric("matthews_corrcoef", matthews_corrcoef),
    _metric("cohen_kappa", cohen_kappa),
    *_averages("precision", precision),
    *_averages("recall", recall),
    *_averages("f1", f1),
    *_averages("jaccard", jaccard),
    _metric("log_loss", log_loss, "probabilities", maximize=False),
    _metric("brier_score", brier_score, "probabilities", maximize=False),
    _metric("top_k_accuracy", top_2_accuracy, "probabilities"),
    _metric("roc_auc", partial(roc_auc, average="binary"), "probabilities", binary_only=True),
    _metric("roc_auc_ovr", partial(roc_auc, average="macro"), "probabilities"),
    _metric("roc_auc_ovr_weighted", partial(roc_auc, average="weighted"), "probabilities"),
    _metric("roc_auc_micro", partial(roc_auc, average="micro"), "probabilities"),
    _metric("roc_auc_ovo", partial(roc_auc_one_vs_one, average="macro"), "probabilities"),
    _metric("roc_auc_ovo_weighted", partial(roc_auc_one_vs_one, average="weighted"), "probabilities"),
    *_averages("average_precision", average_precision_score, "probabilities"),
)

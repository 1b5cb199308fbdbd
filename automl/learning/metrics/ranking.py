"""Scores of an order: area under the ROC curve and average precision, with ties and weights.

Written in NumPy because every fold of every trial needs them per class, and scikit-learn's own validation would
cost more than the arithmetic.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

__all__ = ["Curve", "area_under_roc", "average_precision", "average_ranks", "pair_auc", "threshold_curve"]


class Curve(NamedTuple):
    """Weight of the positives and of the negatives at or above each distinct score, highest score first."""

    true_positives: np.ndarray
    false_positives: np.ndarray


def threshold_curve(positive: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> Curve:
    """The cumulative counts that ROC and precision-recall curves are drawn from.

    Args:
        positive: (n,) bool.
        score: (n,) float, higher for what is more likely positive.
        weight: (n,) float, or None for ones.
    """
    order = np.argsort(score)[::-1]
    score = score[order]
    last = np.append(np.flatnonzero(np.diff(score)), score.size - 1)  # last row of every group of equal scores
    hit = positive[order].astype(np.float64)
    if weight is None:
        true = np.cumsum(hit)[last]
        return Curve(true, last + 1.0 - true)
    mass = weight[order]
    true = np.cumsum(hit * mass)[last]
    return Curve(true, np.cumsum(mass)[last] - true)


def area_under_roc(curve: Curve) -> float:
    """Area under the ROC curve by trapezoids, so that ties count half; nan without both classes."""
    true, false = curve
    if true[-1] <= 0 or false[-1] <= 0:
        return math.nan
    area = true[0] * false[0] / 2 + np.sum(np.diff(false) * (true[1:] + true[:-1])) / 2
    return float(area / (true[-1] * false[-1]))


def average_precision(curve: Curve) -> float:
    """Sum of precision times the step in recall, without interpolation; nan without positives."""
    true, false = curve
    if true[-1] <= 0:
        return math.nan
    total = true + false
    precision = np.divide(true, total, out=np.zeros_like(true), where=total > 0)
    return float(np.sum(np.diff(true, prepend=0.0) * precision) / true[-1])


def pair_auc(higher: np.ndarray, lower: np.ndarray) -> float:
    """Share of pairs in which the score from `higher` exceeds the one from sorted `lower`; ties count half."""
    below = np.searchsorted(lower, higher, side="left") + np.searchsorted(lower, higher, side="right")
    return float(below.sum() / (2.0 * higher.size * lower.size))


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, the mean rank for ties: (n,) float."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    result: np.ndarray = (ends - (counts - 1) / 2.0)[group]
    return result

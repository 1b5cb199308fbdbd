"""Probabilities for classifiers that only score or decide.

A multinomial logistic map of the scores, one slope and an intercept per class, fitted to out-of-sample scores: Platt
(1999) for two classes, temperature and bias scaling of Guo et al. (2017, sections 4.1 and 4.2) for more. Targets are
smoothed as Platt does, which keeps the slope finite when the classes are separable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Calibration", "calibrate", "fit_calibration"]

_FOLDS = 3
_LARGE = 10_000
"""From this many rows on, one held-out third is enough to fit a handful of numbers."""


@dataclass(frozen=True)
class Calibration:
    """A map from scores to probabilities: softmax(slope * scores + intercepts).

    Attributes:
        intercepts: shape (k,).
    """

    slope: float
    intercepts: np.ndarray

    def probabilities(self, model: Any, X: np.ndarray) -> np.ndarray:
        """Shape (n, k), for a fitted model."""
        return self.of_scores(_scores(model, X, len(self.intercepts)))

    def of_scores(self, scores: np.ndarray) -> np.ndarray:
        """Shape (n, k), for scores of the same shape."""
        return _softmax(self.slope * scores + self.intercepts)


def calibrate(
    make: Callable[[], Any], X: np.ndarray, y: np.ndarray, weights: Mapping[str, np.ndarray], seed: int
) -> Calibration:
    """The calibration of the model that `make` makes, from scores of rows that it was not trained on.

    Args:
        make: gives an unfitted model.
        y: codes 0..k-1 without gaps.
        weights: ``{"sample_weight": ...}``, or empty.
    """
    n_classes = int(y.max()) + 1
    part = _parts(y, seed)
    scores, targets = [], []
    for fold in range(1 if len(y) >= _LARGE else _FOLDS):
        train, held = part != fold, part == fold
        if not held.any():
            continue
        model = make().fit(X[train], y[train], **{name: value[train] for name, value in weights.items()})
        scores.append(_scores(model, X[held], n_classes))
        targets.append(y[held])
    if not scores:  # every class has one row: nothing can be held out
        return Calibration(1.0, np.zeros(n_classes))
    return fit_calibration(np.vstack(scores), np.concatenate(targets))


def _parts(y: np.ndarray, seed: int) -> np.ndarray:
    """A part 0.._FOLDS-1 for each row, every class spread evenly; -1, never held out, for the only row of a class."""
    part = np.full(len(y), -1)
    generator = np.random.default_rng(seed)
    for code in range(int(y.max()) + 1):
        rows = generator.permutation(np.flatnonzero(y == code))
        if len(rows) > 1:
            part[rows] = (np.arange(len(rows)) + code) % _FOLDS  # rare classes do not all meet in part 0
    return part


def _scores(model: Any, X: np.ndarray, n_classes: int) -> np.ndarray:
    """Shape (n, n_classes), larger for more likely: decision values, or 1 for the predicted class."""
    if not hasattr(model, "decision_function"):
        return np.eye(n_classes)[np.asarray(model.predict(X), dtype=np.int64)]
    scores = np.asarray(model.decision_function(X), dtype=np.float64)
    return np.column_stack([-scores, scores]) / 2 if scores.ndim == 1 else scores


def fit_calibration(scores: np.ndarray, y: np.ndarray) -> Calibration:
    """The calibration that fits scores to classes best.

    Args:
        scores: float64 (n, k), of rows that their model was not trained on.
        y: codes 0..k-1, shape (n,).
    """
    from scipy.optimize import minimize

    n, k = scores.shape
    found = np.bincount(y, minlength=k)
    targets = np.tile(1.0 / ((found + 2.0) * (k - 1)), (k, 1)).T  # row c: what class c's rows get elsewhere
    np.fill_diagonal(targets, (found + 1.0) / (found + 2.0))
    wanted = targets[y]
    unit = float(np.std(scores)) or 1.0

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        slope, intercepts = np.exp(parameters[0]), parameters[1:]
        p = _softmax(slope * scores / unit + intercepts)
        # The tiny penalty determines what the data leave open: intercepts count up to a constant.
        value = -np.sum(wanted * np.log(np.maximum(p, 1e-300))) / n + 1e-6 * parameters @ parameters
        error = (p - wanted) / n
        slope_part = np.sum(error * scores) * slope / unit
        return float(value), np.concatenate([[slope_part], error.sum(axis=0)]) + 2e-6 * parameters

    best = minimize(loss, np.zeros(k + 1), jac=True, method="L-BFGS-B", bounds=[(-10, 10)] + [(None, None)] * k)
    return Calibration(float(np.exp(best.x[0]) / unit), best.x[1:])


def _softmax(values: np.ndarray) -> np.ndarray:
    exponential = np.exp(values - values.max(axis=1, keepdims=True))
    result: np.ndarray = exponential / exponential.sum(axis=1, keepdims=True)
    return result

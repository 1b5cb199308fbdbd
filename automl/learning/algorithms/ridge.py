"""Ridge regression on the classes, plain and behind a kernel, with probabilities that cost next to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from automl.learning.algorithms.calibration import fit_calibration

__all__ = ["KernelRidgeProbabilities", "RidgeProbabilities"]

_AT_ONCE = 4_096
"""Rows whose products are summed in one step: float32 would lose digits over more of them."""
_CALIBRATED_ON = 3_000
"""Rows whose left-out scores are enough to choose a handful of numbers."""


class RidgeProbabilities(ClassifierMixin, BaseEstimator):
    """Least squares on one column of 0 and 1 per class, and a softmax of its scores.

    For wide float32 matrices of many rows, which it reads in place, a few thousand rows at a time: memory is that of
    d x d numbers, whatever n. The softmax's slope and intercepts are fitted to leave-one-out scores, which one
    factorisation gives for any row (Hastie, Tibshirani & Friedman, "The Elements of Statistical Learning", 7.10.1: the
    residual over 1 - h, h the row's leverage), so that no second model is needed, as calibrating scikit-learn's
    RidgeClassifier would.

    Args:
        alpha: the penalty, relative to the mean variance of the columns times n.

    Attributes:
        classes_: labels in sorted order, shape (k,).
        coef_: shape (k, d).
        intercept_: shape (k,).
    """

    reads_in_place = True
    """The matrix is only read: a memory map need not be copied for it."""

    def __init__(self, alpha: float = 1e-3) -> None:
        self.alpha = alpha

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Learn from `X`, (n, d), labels (n,), and weights (n,)."""
        X = np.asarray(X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self._prepare(X)
        targets = np.eye(len(self.classes_), dtype=np.float32)[codes]
        moments = _Moments((self._mapped(X[part]), targets[part], weight[part]) for part in _parts(len(X)))
        factor = moments.factor(self.alpha)
        coef = moments.solve(factor)
        self.coef_ = coef.T.astype(np.float32)
        self.intercept_ = moments.target_mean - moments.mean @ coef
        rows = np.unique(np.linspace(0, len(X) - 1, _CALIBRATED_ON).astype(np.int64))
        mapped = self._mapped(X[rows])
        fitted = mapped @ coef + self.intercept_
        leverage = moments.leverage(factor, mapped, weight[rows])[:, None]
        truth = np.eye(len(self.classes_))[codes[rows]]
        self.calibration_ = fit_calibration((fitted - leverage * truth) / (1 - leverage), codes[rows])
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Scores, float64 (n, k): near 1 for the row's class, near 0 for the others."""
        check_is_fitted(self)
        X = np.asarray(X)
        scores = np.empty((len(X), len(self.classes_)))
        for part in _parts(len(X)):
            mapped = self._mapped(X[part])
            scores[part] = mapped @ self.coef_.T.astype(mapped.dtype)
        scores += self.intercept_
        return scores

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities, float64 (n, k)."""
        return self.calibration_.of_scores(self.decision_function(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels, shape (n,)."""
        labels: np.ndarray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def _prepare(self, X: np.ndarray) -> None:
        """Learn what `_mapped` needs."""

    def _mapped(self, rows: np.ndarray) -> np.ndarray:
        """Return what the regression sees of a few rows."""
        return rows


class KernelRidgeProbabilities(RidgeProbabilities):
    """The same on how near a row is to each of some training rows: a radial kernel, in the time of a linear model.

    A subset of regressors (Smola & Schoelkopf, 2000, "Sparse greedy matrix approximation for machine learning"): as
    support vector machines it separates what no plane does, at a cost that grows with the rows and not with their
    square.

    Args:
        alpha: the penalty, as above.
        gamma: of the kernel exp(-gamma * |x - z|^2 / d): larger ones see less far.
        landmarks: how many training rows, drawn at random, are compared with; all of them if there are no more.
        random_state: the seed of the draw.

    Attributes:
        landmarks_: shape (landmarks, d).
    """

    def __init__(
        self, alpha: float = 1e-6, gamma: float = 0.5, landmarks: int = 2_048, random_state: int | None = None
    ) -> None:
        super().__init__(alpha)
        self.gamma = gamma
        self.landmarks = landmarks
        self.random_state = random_state

    def _prepare(self, X: np.ndarray) -> None:
        draw = np.random.default_rng(self.random_state)
        rows = np.sort(draw.permutation(len(X))[: self.landmarks])
        self.landmarks_ = X[rows]

    def _mapped(self, rows: np.ndarray) -> np.ndarray:
        own, others = ((part * part).sum(axis=1) for part in (rows, self.landmarks_))
        products: np.ndarray = rows @ self.landmarks_.T
        products *= 2
        products -= own[:, None]
        products -= others
        products *= self.gamma / rows.shape[1]  # minus the squared distances, but for rounding: none is above 0
        np.minimum(products, 0, out=products)
        mapped: np.ndarray = np.exp(products, out=products)
        return mapped


class _Moments:
    """The summary of the rows that least squares needs: weighted means, and sums of products around them.

    Attributes:
        mean: of the columns, float64 (d,).
        target_mean: float64 (k,).
    """

    def __init__(self, parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
        """From a few rows at a time, their targets and weights."""
        around: np.ndarray | None = None
        products: Any = 0.0
        cross: Any = 0.0
        sums: Any = 0.0
        target_sums: Any = 0.0
        self._total = 0.0
        for rows, targets, weight in parts:
            # Sums are taken around the first rows' mean: around 0, float32 would lose what matters behind large means.
            around = rows.mean(axis=0) if around is None else around
            root = np.sqrt(weight).astype(rows.dtype)[:, None]
            centred = (rows - around) * root
            wanted = targets * root
            products = products + (centred.T @ centred).astype(np.float64)
            cross = cross + (centred.T @ wanted).astype(np.float64)
            sums = sums + (centred * root).sum(axis=0, dtype=np.float64)
            target_sums = target_sums + (wanted * root).sum(axis=0, dtype=np.float64)
            self._total += float(weight.sum())
        offset = sums / self._total
        self.mean = around + offset
        self.target_mean = target_sums / self._total
        self._products = products - self._total * np.outer(offset, offset)
        self._cross = cross - self._total * np.outer(offset, self.target_mean)

    def factor(self, alpha: float) -> Any:
        """The Cholesky factor of the penalised products."""
        from scipy.linalg import LinAlgError, cho_factor

        d = len(self._products)
        unit = max(float(np.trace(self._products)) / d, 1e-12)
        while True:
            penalised = self._products.copy()
            penalised.flat[:: d + 1] += alpha * unit
            try:
                return cho_factor(penalised, lower=True, overwrite_a=True, check_finite=False)
            except LinAlgError:
                alpha = 10 * max(alpha, 1e-8)  # smaller than float32's rounding of the products

    def solve(self, factor: Any) -> np.ndarray:
        """Coefficients, float64 (d, k)."""
        from scipy.linalg import cho_solve

        coefficients: np.ndarray = cho_solve(factor, self._cross, check_finite=False)
        return coefficients

    def leverage(self, factor: Any, rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return how much of its own target each of the training rows `rows` is given back: shape (n,), in [0, 1)."""
        from scipy.linalg import solve_triangular

        whitened = solve_triangular(factor[0], (rows - self.mean).T, lower=True, check_finite=False)
        leverage = weight * ((whitened * whitened).sum(axis=0) + 1 / self._total)
        result: np.ndarray = np.minimum(leverage, 0.999)
        return result


def _parts(n: int) -> Iterator[slice]:
    for start in range(0, n, _AT_ONCE):
        yield slice(start, start + _AT_ONCE)

"""Predictions of what a configuration will need, from what others of its algorithm have needed."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.engine.admission.encoding import ConfigEncoder

if TYPE_CHECKING:
    from automl.engine.space.space import AlgorithmSpace

__all__ = ["FURTHEST", "CostModel", "Prediction"]

_FEWEST = 5
"""Measured configurations from which a dependence on parameters is learned."""
_WINDOW = 100
"""The latest configurations that are modelled."""
_PENALTIES = (0.03, 0.3, 3.0, 30.0)
_BOUND = 1.28
"""Standard deviations to either side: nine of ten configurations are below `upper`, nine of ten above `lower`."""
_LEAST_SPREAD = 0.05
"""In logarithms: the same configuration does not need the same twice."""
FURTHEST = 8.0
"""No bound lies further beyond the largest (or smallest) need seen, as a factor."""
_REFIT = 1.1
"""A model is fitted anew when it could know this many times as many configurations: asks stay cheap."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The expected value, and the bounds above and below which nine of ten configurations like it stay."""

    expected: float
    lower: float
    upper: float


class CostModel:
    """Learns a positive quantity (seconds, bytes) of one algorithm's configurations.

    A ridge regression of its logarithm on the scaled parameters. The penalty is the one of the least leave-one-out
    error, which has a closed form (Hastie, Tibshirani & Friedman 2009, equation 7.64); the bounds are those of the
    equivalent Bayesian regression. What is only known to be exceeded (a trial that was stopped) counts where the model
    would have put it lower, one spread above its bound: a single step of Buckley & James (1979).

    Args:
        space: the algorithm's parameters.
    """

    def __init__(self, space: AlgorithmSpace) -> None:
        self._scaled = ConfigEncoder(space)
        self._measured: deque[_Seen] = deque(maxlen=_WINDOW)
        self._exceeded: deque[_Seen] = deque(maxlen=_WINDOW)
        self._seen = self._seen_by_fit = 0
        self._ridge: _Ridge | None = None

    def observe(self, params: Mapping[str, Any], need: float, *, fidelity: float = 1.0, exact: bool = True) -> None:
        """Note that `params` needed `need`; at least that if not `exact`."""
        if need <= 0:
            return
        known = self._measured if exact else self._exceeded
        known.append(_Seen(params, fidelity, math.log(need)))
        self._seen += 1

    def predict(self, params: Mapping[str, Any], *, fidelity: float = 1.0) -> Prediction | None:
        """Predict what `params` will need; None as long as too little is known."""
        if len(self._measured) < _FEWEST:
            return None
        if self._ridge is None or self._seen >= _REFIT * self._seen_by_fit:
            self._ridge, self._seen_by_fit = self._fit(), self._seen
        expected, lower, upper = map(math.exp, self._ridge.predict(self._point(params, fidelity)))
        return Prediction(expected, lower, upper)

    def _point(self, params: Mapping[str, Any], fidelity: float) -> np.ndarray:
        return np.array([math.log(fidelity), *self._scaled.point(params)])

    def _fit(self) -> _Ridge:
        points = [self._point(seen.params, seen.fidelity) for seen in self._measured]
        logs = [seen.log for seen in self._measured]
        ridge = _Ridge(np.array(points), np.array(logs))
        exceeded = [(self._point(seen.params, seen.fidelity), seen.log) for seen in self._exceeded]
        higher = [(point, bound) for point, bound in exceeded if ridge.predict(point)[0] < bound]
        if not higher:
            return ridge
        points += [point for point, _ in higher]
        logs += [bound + ridge.spread for _, bound in higher]
        return _Ridge(np.array(points), np.array(logs))


@dataclass(frozen=True, slots=True)
class _Seen:
    """One need seen, as a logarithm. It becomes a point when a model is fitted, which most searches never do."""

    params: Mapping[str, Any]
    fidelity: float
    log: float


class _Ridge:
    """A ridge regression with a free intercept.

    Args:
        X: shape (n, d).
        y: shape (n,).

    Attributes:
        spread: the leave-one-out error (root mean square).
    """

    def __init__(self, X: np.ndarray, y: np.ndarray) -> None:
        n = len(y)
        self._mean, self._level = X.mean(axis=0), float(y.mean())
        self._range = float(y.min()) - math.log(FURTHEST), float(y.max()) + math.log(FURTHEST)
        X, y = X - self._mean, y - self._level
        # Of the small square matrix: a threaded decomposition of X itself can take 0.3 s on a machine that is busy.
        squares, axes = np.linalg.eigh(X.T @ X)
        squares, along = np.maximum(squares, 0.0), X @ axes
        onto = along.T @ y
        errors = {}
        for penalty in _PENALTIES:
            leverage = np.minimum((along**2) @ (1.0 / (squares + penalty)) + 1.0 / n, 0.99)
            residuals = (y - along @ (onto / (squares + penalty))) / (1.0 - leverage)
            errors[penalty] = math.sqrt(float(np.mean(residuals**2)))
        penalty = min(_PENALTIES, key=lambda candidate: (errors[candidate], -candidate))
        self.spread = max(errors[penalty], _LEAST_SPREAD)
        self._weights = axes @ (onto / (squares + penalty))
        self._inverse = (axes / (squares + penalty)) @ axes.T
        self._n = n

    def predict(self, point: np.ndarray) -> tuple[float, float, float]:
        """The expected value at `point`, and the bounds below and above it."""
        offset = point - self._mean
        expected = self._level + float(offset @ self._weights)
        variance = 1.0 + 1.0 / self._n + float(offset @ self._inverse @ offset)
        width = _BOUND * self.spread * math.sqrt(variance)
        low, high = self._range
        expected, lower, upper = (min(max(y, low), high) for y in (expected, expected - width, expected + width))
        return expected, lower, upper

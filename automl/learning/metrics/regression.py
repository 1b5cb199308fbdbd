"""Metrics of regression. Definitions are scikit-learn's; ``normalized_*`` is the retired cloud's."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from automl.learning.metrics.base import REGRESSION, Metric
from automl.learning.metrics.predictions import ValuePredictions
from automl.learning.metrics.ranking import average_ranks

__all__ = ["METRICS"]


def weighted_median(values: np.ndarray, weight: np.ndarray | None) -> float:
    """The median; with weights, the mean of the lower and the upper weighted median."""
    if weight is None:
        return float(np.median(values))
    order = np.argsort(values)
    values, mass = values[order], np.cumsum(weight[order])
    half = mass[-1] / 2
    lower = values[np.searchsorted(mass, half * (1 - 1e-12), side="left")]
    upper = values[min(np.searchsorted(mass, half * (1 + 1e-12), side="right"), values.size - 1)]
    return float((lower + upper) / 2)


def mse(case: ValuePredictions) -> float:
    return case.mean_squared_error


def rmse(case: ValuePredictions) -> float:
    return math.sqrt(case.mean_squared_error)


def mae(case: ValuePredictions) -> float:
    return case.mean_absolute_error


def median_absolute_error(case: ValuePredictions) -> float:
    return weighted_median(np.abs(case.error), case.weight)


def max_error(case: ValuePredictions) -> float:
    return float(np.abs(case.error).max())


def mape(case: ValuePredictions) -> float:
    """Mean absolute error relative to the truth, as a fraction; a true 0 counts as one float64 epsilon."""
    return case.mean(np.abs(case.error) / np.maximum(np.abs(case.y_true), np.finfo(np.float64).eps))


def _left_over(residual: float, total: float) -> float:
    """1 - residual / total; for a constant truth 1 if it was met exactly, else 0."""
    if total == 0:
        return 1.0 if residual == 0 else 0.0
    return 1.0 - residual / total


def r2(case: ValuePredictions) -> float:
    """Coefficient of determination; nan for fewer than two rows."""
    if case.y_true.size < 2:
        return math.nan
    return _left_over(case.mean_squared_error, case.mean(np.square(case.y_true - case.mean(case.y_true))))


def explained_variance(case: ValuePredictions) -> float:
    if case.y_true.size < 2:
        return math.nan
    residual = case.mean(np.square(case.error - case.mean(case.error)))
    return _left_over(residual, case.mean(np.square(case.y_true - case.mean(case.y_true))))


def d2_absolute_error(case: ValuePredictions) -> float:
    """Like r2 with absolute errors, against the median."""
    if case.y_true.size < 2:
        return math.nan
    centre = weighted_median(case.y_true, case.weight)
    return _left_over(case.mean_absolute_error, case.mean(np.abs(case.y_true - centre)))


def msle(case: ValuePredictions) -> float:
    """Mean squared difference of log(1 + y); nan if a true value is negative or a prediction at or below -1."""
    if case.logarithms is None:
        return math.nan
    truth, guess = case.logarithms
    return case.mean(np.square(truth - guess))


def rmsle(case: ValuePredictions) -> float:
    return math.sqrt(msle(case))


def poisson_deviance(case: ValuePredictions) -> float:
    """Mean Poisson deviance; nan if a true value is negative or a prediction not positive."""
    y, mu = case.y_true, case.prediction
    if y.min() < 0 or mu.min() <= 0:
        return math.nan
    ratio = np.where(y > 0, y / mu, 1.0)
    return case.mean(2 * (y * np.log(ratio) - y + mu))


def gamma_deviance(case: ValuePredictions) -> float:
    """Mean gamma deviance; nan if a true value or a prediction is not positive."""
    y, mu = case.y_true, case.prediction
    if y.min() <= 0 or mu.min() <= 0:
        return math.nan
    return case.mean(2 * (np.log(mu / y) + y / mu - 1))


def _correlation(a: np.ndarray, b: np.ndarray, case: ValuePredictions) -> float:
    a, b = a - case.mean(a), b - case.mean(b)
    scale = math.sqrt(case.mean(a * a) * case.mean(b * b))
    return case.mean(a * b) / scale if scale > 0 else math.nan


def pearson(case: ValuePredictions) -> float:
    """Linear correlation; nan if either side is constant."""
    return _correlation(case.y_true, case.prediction, case)


def spearman(case: ValuePredictions) -> float:
    """Rank correlation; nan if either side is constant. Weights weigh the rows, the ranks are those of all rows."""
    return _correlation(average_ranks(case.y_true), average_ranks(case.prediction), case)


def _over_span(value: float, case: ValuePredictions) -> float:
    """The cloud's normalisation: the error as a share of the range of the true values; nan if they are constant."""
    return value / case.span if case.span > 0 else math.nan


def normalized_rmse(case: ValuePredictions) -> float:
    return _over_span(rmse(case), case)


def normalized_mae(case: ValuePredictions) -> float:
    return _over_span(mae(case), case)


def normalized_median_absolute_error(case: ValuePredictions) -> float:
    return _over_span(median_absolute_error(case), case)


def normalized_rmsle(case: ValuePredictions) -> float:
    """RMSLE over the range of log(1 + y)."""
    if case.logarithms is None or case.span <= 0:
        return math.nan
    return rmsle(case) / float(np.ptp(case.logarithms[0]))


def _metric(name: str, function: Callable[[ValuePredictions], float], *, maximize: bool = False) -> Metric:
    return Metric(name, maximize, "values", frozenset({REGRESSION}), function, 1.0 if maximize else 0.0)


METRICS: tuple[Metric, ...] = (
    _metric("r2", r2, maximize=True),
    _metric("rmse", rmse),
    _metric("mse", mse),
    _metric("mae", mae),
    _metric("median_absolute_error", median_absolute_error),
    _metric("max_error", max_error),
    _metric("mape", mape),
    _metric("msle", msle),
    _metric("rmsle", rmsle),
    _metric("explained_variance", explained_variance, maximize=True),
    _metric("d2_absolute_error", d2_absolute_error, maximize=True),
    _metric("spearman", spearman, maximize=True),
    _metric("pearson", pearson, maximize=True),
    _metric("poisson_deviance", poisson_deviance),
    _metric("gamma_deviance", gamma_deviance),
    _metric("normalized_root_mean_squared_error", normalized_rmse),
    _metric("normalized_mean_absolute_error", normalized_mae),
    _metric("normalized_median_absolute_error", normalized_median_absolute_error),
    _metric("normalized_root_mean_squared_log_error", normalized_rmsle),
)

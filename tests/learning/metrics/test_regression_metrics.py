"""Regression metrics against scikit-learn's and SciPy's own functions."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from automl.learning.metrics.base import score_all
from automl.learning.metrics.registry import get_metric, metrics_of

EXPECTED = {
    "r2": sk.r2_score,
    "rmse": sk.root_mean_squared_error,
    "mse": sk.mean_squared_error,
    "mae": sk.mean_absolute_error,
    "median_absolute_error": sk.median_absolute_error,
    "mape": sk.mean_absolute_percentage_error,
    "msle": sk.mean_squared_log_error,
    "rmsle": sk.root_mean_squared_log_error,
    "explained_variance": sk.explained_variance_score,
    "d2_absolute_error": sk.d2_absolute_error_score,
    "poisson_deviance": sk.mean_poisson_deviance,
    "gamma_deviance": sk.mean_gamma_deviance,
}


def case(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.gamma(2.0, 3.0, rows)
    return y, y * rng.uniform(0.5, 1.5, rows) + 0.1


cases = st.builds(case, st.integers(0, 10_000), st.integers(3, 60))


@given(data=cases, weighted=st.booleans())
@settings(max_examples=60, deadline=None)
def test_metrics_agree_with_scikit_learn(data, weighted: bool) -> None:
    y, p = data
    weight = np.linspace(0.5, 2.0, y.size) if weighted else None
    expected = {name: function(y, p, sample_weight=weight) for name, function in EXPECTED.items()}
    got = score_all([get_metric(name, "regression") for name in expected], y, p, weight=weight)
    assert got == pytest.approx(expected, rel=1e-9)


@given(data=cases)
@settings(max_examples=30, deadline=None)
def test_correlations_and_max_error_agree_with_scipy(data) -> None:
    y, p = np.round(data[0]), data[1]  # rounded: ties among the ranks
    if np.ptp(y) == 0:
        return
    assert get_metric("spearman", "regression").score(y, p) == pytest.approx(stats.spearmanr(y, p).statistic)
    assert get_metric("pearson", "regression").score(y, p) == pytest.approx(stats.pearsonr(y, p).statistic)
    assert get_metric("max_error", "regression").score(y, p) == pytest.approx(sk.max_error(y, p))


def test_normalized_errors_are_shares_of_the_range() -> None:
    y, p = np.array([0.0, 5.0, 10.0]), np.array([1.0, 5.0, 9.0])
    assert get_metric("normalized_mean_absolute_error", "regression").score(y, p) == pytest.approx(2 / 3 / 10)
    rmse = math.sqrt(2 / 3)
    assert get_metric("normalized_root_mean_squared_error", "regression").score(y, p) == pytest.approx(rmse / 10)


def test_logarithms_of_negative_predictions_are_undefined_and_not_an_error() -> None:
    y, p = np.array([1.0, 2.0]), np.array([-2.0, 2.0])
    assert math.isnan(get_metric("rmsle", "regression").score(y, p))
    assert math.isnan(get_metric("gamma_deviance", "regression").score(y, p))


def test_a_constant_truth_scores_as_in_scikit_learn_and_warns_of_nothing() -> None:
    y = np.full(4, 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score_all(metrics_of("regression", None), y, np.array([1.0, 2.0, 3.0, 2.0]))
    assert scores["r2"] == 0.0
    assert math.isnan(scores["spearman"])
    assert math.isnan(scores["normalized_root_mean_squared_error"])
    assert get_metric("r2", "regression").score(y, y) == 1.0


def test_infinite_predictions_have_no_score() -> None:
    assert math.isnan(get_metric("rmse", "regression").score(np.array([1.0, 2.0]), np.array([np.inf, 2.0])))


@pytest.mark.parametrize("metric", metrics_of("regression", None), ids=lambda m: m.name)
def test_a_perfect_prediction_has_the_optimum(metric) -> None:
    y = np.array([1.0, 2.0, 4.0, 8.0])
    assert metric.score(y, y) == pytest.approx(metric.optimum, abs=1e-12)
    assert metric.objective.better(metric.score(y, y), metric.score(y, y[::-1]))

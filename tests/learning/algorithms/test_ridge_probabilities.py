"""Least squares on classes, with probabilities from leave-one-out scores."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier

from automl.learning.algorithms import ridge
from automl.learning.algorithms.ridge import KernelRidgeProbabilities, RidgeProbabilities


def problem(n: int = 200, d: int = 12, k: int = 3, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    y = draw.integers(0, k, n)
    middles = draw.normal(size=(k, d))
    return (5 + middles[y] + noise * draw.normal(size=(n, d))).astype(np.float32), np.array(list("abcdef"))[y]


def test_scores_are_those_of_scikit_learns_ridge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "_AT_ONCE", 64)  # several steps
    X, y = problem()
    ours = RidgeProbabilities(alpha=0.1).fit(X, y)
    alpha = 0.1 * float(((X - X.mean(axis=0)) ** 2).sum()) / X.shape[1]
    theirs = RidgeClassifier(alpha=alpha).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(2 * ours.decision_function(X) - 1, theirs.decision_function(X), atol=1e-3)


def test_left_out_scores_are_those_of_a_model_without_the_row() -> None:
    X, y = problem(n=40)
    draw = np.random.default_rng(1)
    weight = draw.uniform(0.5, 2, 40)
    targets = (y[:, None] == np.unique(y)).astype(np.float32)
    moments = ridge._Moments([(X, targets, weight)])
    factor = moments.factor(0.1)
    coef = moments.solve(factor)
    fitted = (X - moments.mean) @ coef + moments.target_mean
    leverage = moments.leverage(factor, X, weight)[:, None]
    left_out = (fitted - leverage * targets) / (1 - leverage)
    penalty = 0.1 * np.trace(moments._products) / X.shape[1]
    for row in range(0, 40, 7):
        rest = np.arange(40) != row
        w = weight[rest]
        mean, target_mean = (np.average(part[rest], axis=0, weights=w) for part in (X, targets))
        centred = X[rest] - mean
        gram = (centred * w[:, None]).T @ centred + penalty * np.eye(X.shape[1])
        alone = np.linalg.solve(gram, (centred * w[:, None]).T @ (targets[rest] - target_mean))
        np.testing.assert_allclose(left_out[row], (X[row] - mean) @ alone + target_mean, atol=2e-3)


def test_probabilities_are_honest_where_the_model_fits_its_rows_too_well() -> None:
    X, y = problem(n=400, d=150, noise=6.0)
    train, valid = slice(0, 200), slice(200, None)
    model = RidgeProbabilities(alpha=1e-3).fit(X[train], y[train])
    probabilities = model.predict_proba(X[valid])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    right = model.predict(X[valid]) == y[valid]
    assert probabilities.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.1)
    assert (model.predict(X[train]) == y[train]).mean() > right.mean() + 0.2  # so it did


def test_weights_count_as_repeated_rows() -> None:
    X, y = problem(n=60)
    weight = np.where(np.arange(60) < 20, 3.0, 1.0)
    repeated = np.concatenate([np.arange(60), np.arange(20), np.arange(20)])
    weighted, plain = RidgeProbabilities().fit(X, y, weight), RidgeProbabilities().fit(X[repeated], y[repeated])
    np.testing.assert_allclose(weighted.decision_function(X), plain.decision_function(X), atol=2e-3)


def test_it_only_reads_the_matrix_and_can_be_cloned() -> None:
    X, y = problem()
    X.flags.writeable = False
    model = clone(RidgeProbabilities(alpha=0.5)).fit(X, y)
    assert model.predict(X).tolist() == RidgeProbabilities(alpha=0.5).fit(X.copy(), y).predict(X).tolist()
    assert (model.predict(X) == y).mean() > 0.8


@pytest.mark.parametrize("case", ["constant", "wide", "twins"])
def test_matrices_without_full_rank(case: str) -> None:
    X, y = problem(n=30, d=60 if case == "wide" else 5)
    if case == "constant":
        X[:] = 3
    if case == "twins":
        X = np.hstack([X, X])
    probabilities = RidgeProbabilities(alpha=1e-9).fit(X, y).predict_proba(X)
    assert np.isfinite(probabilities).all()


def test_a_kernel_separates_what_no_plane_does() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(600, 2)).astype(np.float32)
    y = (np.hypot(*X.T) > 1.2).astype(int)  # a disc and what is around it
    plain, kernel = RidgeProbabilities().fit(X[:300], y[:300]), KernelRidgeProbabilities(landmarks=100, random_state=0)
    kernel.fit(X[:300], y[:300])
    assert (plain.predict(X[300:]) == y[300:]).mean() < 0.75
    assert (kernel.predict(X[300:]) == y[300:]).mean() > 0.95
    assert kernel.landmarks_.shape == (100, 2)


def test_landmarks_are_no_more_than_rows_and_the_seed_decides_which() -> None:
    X, y = problem(n=50)
    first, same, other = (KernelRidgeProbabilities(landmarks=9, random_state=seed).fit(X, y) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.predict_proba(X), same.predict_proba(X))
    assert not np.array_equal(first.landmarks_, other.landmarks_)
    assert KernelRidgeProbabilities(landmarks=1_000).fit(X, y).landmarks_.shape[0] == 50

"""Classification metrics against scikit-learn's own functions, and where scikit-learn has no answer."""

from __future__ import annotations

import math
import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from automl.learning.metrics.base import score_all
from automl.learning.metrics.predictions import choose_labels
from automl.learning.metrics.registry import get_metric, metrics_of


def case(seed: int, rows: int, classes: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Codes that hold every class at least once, and probabilities that know a little about them."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)])
    logits = rng.normal(size=(rows, classes)) + 1.5 * (y[:, None] == np.arange(classes))
    if ties:
        logits = np.round(logits)
    p = np.exp(logits)
    return y, np.round(p / p.sum(axis=1, keepdims=True), 12)  # rounded: a tie in one column is one in the other


cases = st.builds(case, st.integers(0, 10_000), st.integers(12, 60), st.integers(2, 5), ties=st.booleans())

OF_LABELS = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "matthews_corrcoef": sk.matthews_corrcoef,
    "cohen_kappa": sk.cohen_kappa_score,
    **{
        f"{name}_{average}": lambda y, p, f=function, a=average, **kw: f(y, p, average=a, zero_division=0, **kw)
        for name, function in {
            "precision": sk.precision_score,
            "recall": sk.recall_score,
            "f1": sk.f1_score,
            "jaccard": sk.jaccard_score,
        }.items()
        for average in ("macro", "micro", "weighted")
    },
}


@pytest.mark.parametrize("name", OF_LABELS)
@given(data=cases, weighted=st.booleans())
@settings(max_examples=25, deadline=None)
def test_metrics_of_labels_agree_with_scikit_learn(name: str, data, weighted: bool) -> None:
    y, p = data
    weight = np.linspace(0.5, 2.0, y.size) if weighted else None
    expected = OF_LABELS[name](y, choose_labels(p), sample_weight=weight)
    assert get_metric(name, "classification").score(y, p, weight=weight) == pytest.approx(expected, abs=1e-12)


@given(data=cases, weighted=st.booleans())
@settings(max_examples=60, deadline=None)
def test_probability_metrics_agree_with_scikit_learn(data, weighted: bool) -> None:
    y, p = data
    k = p.shape[1]
    w = np.linspace(0.5, 2.0, y.size) if weighted else None
    hot = np.eye(k)[y]
    expected = {
        "log_loss": sk.log_loss(y, p, sample_weight=w),
        "roc_auc_ovr": sk.roc_auc_score(hot, p, average="macro", sample_weight=w),
        "roc_auc_ovr_weighted": sk.roc_auc_score(hot, p, average="weighted", sample_weight=w),
        "roc_auc_micro": sk.roc_auc_score(hot, p, average="micro", sample_weight=w),
        "average_precision_macro": sk.average_precision_score(hot, p, average="macro", sample_weight=w),
        "average_precision_weighted": sk.average_precision_score(hot, p, average="weighted", sample_weight=w),
        "average_precision_micro": sk.average_precision_score(hot, p, average="micro", sample_weight=w),
    }
    if k == 2:
        expected["roc_auc"] = sk.roc_auc_score(y, p[:, 1], sample_weight=w)
        expected["average_precision"] = sk.average_precision_score(y, p[:, 1], sample_weight=w)
        expected["brier_score"] = sk.brier_score_loss(y, p[:, 1], sample_weight=w)
    else:
        expected["brier_score"] = sk.brier_score_loss(y, p, sample_weight=w, labels=range(k))
        expected["top_k_accuracy"] = sk.top_k_accuracy_score(y, p, sample_weight=w)
    got = score_all([get_metric(name, "classification") for name in expected], y, p, weight=w)
    assert got == pytest.approx(expected, abs=1e-9)


@given(data=cases)
@settings(max_examples=40, deadline=None)
def test_one_vs_one_auc_agrees_with_scikit_learn(data) -> None:
    y, p = data
    if p.shape[1] == 2:  # scikit-learn knows one-vs-one for three classes and more
        expected = dict.fromkeys(("macro", "weighted"), sk.roc_auc_score(y, p[:, 1]))
    else:
        expected = {a: sk.roc_auc_score(y, p, multi_class="ovo", average=a) for a in ("macro", "weighted")}
    assert get_metric("roc_auc_ovo", "classification").score(y, p) == pytest.approx(expected["macro"])
    assert get_metric("roc_auc_ovo_weighted", "classification").score(y, p) == pytest.approx(expected["weighted"])


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("name", ["precision", "recall", "f1", "jaccard"])
def test_binary_metrics_speak_of_the_positive_class(name: str, positive: int) -> None:
    y, p = case(3, 40, 2)
    function = getattr(sk, f"{name}_score")
    expected = function(y, choose_labels(p, positive), pos_label=positive)
    assert get_metric(name, "classification").score(y, p, positive=positive) == pytest.approx(expected)


def test_one_half_is_the_positive_class() -> None:
    half = np.array([[0.5, 0.5]])
    assert choose_labels(half, positive=1).tolist() == [1]
    assert choose_labels(half, positive=0).tolist() == [0]


def test_norm_macro_recall_is_zero_for_chance_and_one_for_perfection() -> None:
    y, p = case(5, 60, 3)
    metric = get_metric("norm_macro_recall", "classification")
    macro = sk.recall_score(y, choose_labels(p), average="macro")
    assert metric.score(y, p) == pytest.approx((macro - 1 / 3) / (1 - 1 / 3))
    assert metric.score(y, np.eye(3)[y]) == 1.0
    assert metric.score(y, np.tile([1.0, 0.0, 0.0], (60, 1))) == pytest.approx(0.0)


def test_weighted_accuracy_weighs_each_row_by_the_size_of_its_class() -> None:
    y = np.array([0, 0, 0, 1])
    p = np.eye(2)[[0, 0, 1, 1]]
    # rows of class 0 weigh 3 each and one of them is wrong; the row of class 1 weighs 1
    assert get_metric("weighted_accuracy", "classification").score(y, p) == pytest.approx((3 + 3 + 1) / 10)


def test_a_class_that_is_missing_from_the_fold_is_left_out_of_the_mean() -> None:
    y, p = case(7, 50, 3)
    there = y != 2
    scores = score_all(metrics_of("classification", 3), y[there], p[there])
    defined = [sk.roc_auc_score(y[there] == c, p[there, c]) for c in (0, 1)]
    assert scores["roc_auc_ovr"] == pytest.approx(np.mean(defined))
    recalls = sk.recall_score(y[there], choose_labels(p[there]), average=None, labels=[0, 1])
    assert scores["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert scores["log_loss"] == pytest.approx(sk.log_loss(y[there], p[there], labels=[0, 1, 2]))
    assert not [name for name, value in scores.items() if math.isnan(value)]


def test_one_class_alone_gives_nan_where_an_order_is_asked_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score_all(metrics_of("classification", 2), np.ones(4, dtype=int), np.full((4, 2), 0.5))
    assert math.isnan(scores["roc_auc"])
    assert math.isnan(scores["roc_auc_ovo"])
    assert scores["accuracy"] == 1.0


def test_predictions_that_are_not_finite_have_no_score() -> None:
    y, p = case(1, 20, 2)
    p[3] = np.nan
    assert all(math.isnan(value) for value in score_all(metrics_of("classification", 2), y, p).values())


def test_all_metrics_of_a_fold_cost_less_than_ten_milliseconds() -> None:
    y, p = case(0, 150, 3)  # Iris in one piece
    metrics = metrics_of("classification", 3)
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        score_all(metrics, y, p)
        best = min(best, time.perf_counter() - start)
    assert best < 0.010


@pytest.mark.parametrize("metric", metrics_of("classification", None), ids=lambda m: m.name)
def test_a_perfect_prediction_has_the_optimum(metric) -> None:
    y = np.array([0, 1, 1, 0, 1, 0])
    p = np.eye(2)[y]
    assert metric.score(y, p) == pytest.approx(metric.optimum, abs=1e-12)
    assert not metric.objective.better(metric.score(y, np.eye(2)[1 - y]), metric.score(y, p))

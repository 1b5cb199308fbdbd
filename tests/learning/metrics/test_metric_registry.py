"""Names, directions, mistakes, and a user's own function."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from sklearn import metrics as sk

from automl.errors import MetricError
from automl.learning.metrics.names import AZURE_ML, SPELLINGS
from automl.learning.metrics.options import MetricOptions, MetricsOption
from automl.learning.metrics.registry import get_metric, metric_from_callable, metric_from_options, metrics_of

KNOWN = {metric.name for task in ("classification", "regression") for metric in metrics_of(task, None)}


@pytest.mark.parametrize("name", sorted({*AZURE_ML, *SPELLINGS}))
def test_every_other_name_leads_to_a_metric(name: str) -> None:
    assert {**SPELLINGS, **AZURE_ML}[name] in KNOWN
    assert name not in KNOWN


def test_every_scorer_of_scikit_learn_for_plain_targets_is_known() -> None:
    about_clusters = {"completeness_score", "fowlkes_mallows_score", "homogeneity_score", "v_measure_score"}
    unlike = {  # multilabel, clusterings, ratios without an upper bound, and scores relative to a null model
        name
        for name in sk.get_scorer_names()
        if name.endswith(("_samples", "rand_score", "info_score", "likelihood_ratio")) or name.startswith("d2_")
    }
    for name in set(sk.get_scorer_names()) - about_clusters - unlike:
        task = "regression" if name in _REGRESSION_SCORERS else "classification"
        metric = get_metric(name, task)
        # a scorer that negates is one to minimize
        assert metric.maximize != name.startswith("neg_")


_REGRESSION_SCORERS = {
    name
    for name in sk.get_scorer_names()
    if "_error" in name or name.endswith("_deviance") or name in {"r2", "explained_variance"}
}


def test_the_clouds_names_are_kept_and_negations_are_not() -> None:
    assert get_metric("AUC_weighted", "classification").name == "AUC_weighted"
    assert get_metric("neg_log_loss", "classification").name == "log_loss"
    assert get_metric("neg_log_loss", "classification").maximize is False


def test_a_misspelled_name_gets_the_nearest_one() -> None:
    with pytest.raises(MetricError, match=r"no metric 'acuracy'\. Did you mean 'accuracy'\?"):
        get_metric("acuracy", "classification")
    with pytest.raises(MetricError, match="Did you mean 'AUC_weighted'"):
        get_metric("auc_weighted", "classification")
    with pytest.raises(MetricError, match="Regression has r2, rmse"):
        get_metric("zzzzzz", "regression")


def test_a_metric_of_the_other_task_is_refused() -> None:
    with pytest.raises(MetricError, match="'rmse' is for regression, and this is classification"):
        get_metric("rmse", "classification")


def test_a_binary_metric_is_refused_for_more_classes_with_what_to_write() -> None:
    with pytest.raises(MetricError, match=r"there are 3\. Write 'roc_auc_ovr' or 'roc_auc_ovr_weighted'"):
        get_metric("roc_auc", "classification", 3)
    with pytest.raises(MetricError, match="Write 'f1_macro' or 'f1_weighted'"):
        get_metric("f1", "classification", 3)
    for suggested in ("roc_auc_ovr", "f1_macro", "average_precision_macro", "precision_weighted", "jaccard_macro"):
        assert get_metric(suggested, "classification", 3).name == suggested


def test_what_is_logged_fits_the_number_of_classes() -> None:
    two = {metric.name for metric in metrics_of("classification", 2)}
    three = {metric.name for metric in metrics_of("classification", 3)}
    many = {metric.name for metric in metrics_of("classification", 500)}
    assert "roc_auc" in two and "top_k_accuracy" not in two
    assert "roc_auc" not in three and "top_k_accuracy" in three and "roc_auc_ovo" in three
    assert "roc_auc_ovo" not in many and "roc_auc_ovr" in many


def test_a_metric_is_an_objective_in_its_own_direction() -> None:
    rmse = get_metric("rmse", "regression").objective
    assert rmse.name == "rmse"
    assert rmse.better(1.0, 2.0) and not rmse.better(2.0, 1.0)


def test_metrics_can_be_sent_to_a_worker() -> None:
    y, p = np.array([0, 1, 1]), np.array([[0.8, 0.2], [0.4, 0.6], [0.7, 0.3]])
    for metric in metrics_of("classification", 2):
        copy = pickle.loads(pickle.dumps(metric))
        assert copy.score(y, p) == metric.score(y, p)


def cost(y_true, y_pred) -> float:
    return float(np.sum((y_true == "sick") & (y_pred == "well")))


def test_a_users_function_gets_original_labels() -> None:
    metric = metric_from_callable(cost, maximize=False).with_classes(np.array(["sick", "well"], dtype=object))
    assert (metric.name, metric.goal) == ("cost", "minimize")
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    assert metric.score(np.array([0, 0, 1]), p) == 1.0


def test_a_users_function_of_probabilities_gets_what_scikit_learn_expects() -> None:
    metric = metric_from_callable(sk.roc_auc_score, needs="probabilities")
    y, p = np.array([0, 1, 1, 0]), np.array([[0.8, 0.2], [0.4, 0.6], [0.9, 0.1], [0.7, 0.3]])
    assert metric.score(y, p) == sk.roc_auc_score(y, p[:, 1])
    three = metric_from_callable(sk.log_loss, needs="probabilities", maximize=False)
    assert three.score(np.array([0, 1, 2]), np.full((3, 3), 1 / 3)) == pytest.approx(math.log(3))


def test_a_users_function_serves_regression_too() -> None:
    assert metric_from_callable(lambda y, p: np.max(p - y)).score(np.array([1.0]), np.array([3.0])) == 2.0


def test_a_known_name_with_the_wrong_direction_is_refused() -> None:
    with pytest.raises(MetricError, match="'log_loss' is a metric to minimize"):
        metric_from_callable(sk.log_loss, needs="probabilities")


def test_what_is_no_metric_function_is_refused() -> None:
    with pytest.raises(MetricError, match="scorer cannot be a metric"):
        metric_from_callable(sk.make_scorer(sk.accuracy_score))
    with pytest.raises(MetricError, match="a name or a function"):
        metric_from_callable(3)  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="must return one float"):
        metric_from_callable(lambda y, p: p).score(np.array([1.0, 2.0]), np.array([3.0, 4.0]))


def test_options_take_a_name_a_mapping_or_a_list() -> None:
    read = TypeAdapter(MetricsOption).validate_python
    assert read("f1") == (MetricOptions(name="f1"),)
    assert read({"name": "Accuracy", "goal": "maximize"})[0].goal == "maximize"
    assert [option.name for option in read(["f1", {"name": "recall"}])] == ["f1", "recall"]
    for wrong in ([], ["f1", "f1"], {"name": "f1", "direction": "maximize"}, {"name": "x", "goal": "up"}):
        with pytest.raises(ValidationError):
            read(wrong)


def test_a_goal_that_contradicts_the_metric_is_refused() -> None:
    assert metric_from_options(MetricOptions(name="rmse", goal="minimize"), "regression").name == "rmse"
    with pytest.raises(MetricError, match="is a metric to minimize"):
        metric_from_options(MetricOptions(name="rmse", goal="maximize"), "regression")


def test_metrics_import_neither_scikit_learn_nor_pandas() -> None:
    code = (
        "import sys, automl.learning.metrics.registry; print(sorted({'sklearn', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""The estimators behave as scikit-learn's own do, and leave nothing behind."""

from __future__ import annotations

import inspect
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import automl
from automl import AutoMLClassifier, AutoMLRegressor, ExperimentConfig
from automl.engine.execution.jobs import local_executor, workers_of
from automl.engine.trial.cores import usable_cores
from automl.errors import ConfigError, NoModelError

X, y = load_iris(return_X_y=True, as_frame=True)
LABELS = load_iris().target_names[y]


def cheap(algorithm: str) -> dict[str, Any]:
    """One fast algorithm, two folds."""
    return {"search": {"algorithms": {"allow": [algorithm]}, "portfolio": False}, "validation": {"folds": 2}}


def classifier(**arguments: Any) -> AutoMLClassifier:
    return AutoMLClassifier(**{"max_trials": 1, "n_jobs": 1, **cheap("lda"), **arguments})


def regressor(**arguments: Any) -> AutoMLRegressor:
    return AutoMLRegressor(**{"max_trials": 1, "n_jobs": 1, **cheap("ridge"), **arguments})


@pytest.fixture(scope="module")
def fitted() -> AutoMLClassifier:
    return classifier().fit(X, LABELS)


# scikit-learn's own checks

NO_EQUIVALENCE = (
    "Cross-validation sees rows: one that is there three times can be trained on and scored in different folds, "
    "one of weight 3 cannot, so the folds and with them the models differ. Rows of weight 0 do equal absent ones."
)
EXCUSES = {
    "check_sample_weight_equivalence_on_dense_data": NO_EQUIVALENCE,
    "check_sample_weight_equivalence_on_sparse_data": NO_EQUIVALENCE,
}


@parametrize_with_checks(
    [classifier(), regressor()], expected_failed_checks=lambda estimator: EXCUSES, xfail_strict=True
)
def test_scikit_learns_check(estimator: Any, check: Any) -> None:
    check(estimator)


# Parameters


def test_the_constructor_stores_and_fit_checks() -> None:
    model = AutoMLClassifier(metric=3, max_trials="many", n_jobs=0, search=[1])  # type: ignore[arg-type]
    assert model.get_params()["max_trials"] == "many"
    with pytest.raises(ValueError, match="search: expected a mapping"):
        model.fit(X, y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "acuracy"}, "Did you mean 'accuracy'"),
        ({"metric": "rmse"}, "is for regression"),
        ({"max_trials": 0}, "^max_trials: must be at least 1"),
        ({"time_budget": "soon"}, "^time_budget: 'soon' is not a duration"),
        ({"random_state": -1}, "^random_state: must be at least 0"),
        ({"n_jobs": 0}, "^n_jobs: 0 is not a number of trials"),
        ({"n_jobs": "two"}, "^n_jobs: 'two' is not a number of trials"),
        ({"name": "not/a/name"}, "^name: 'not/a/name' cannot name"),
        ({"search": {"sampler": "grip"}}, "search.sampler"),
        ({"compute": "inline"}, "^compute: expected a mapping"),
        ({"data": {"target": "species"}}, "^data.target"),
    ],
)
def test_a_wrong_argument_is_a_value_error_of_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(**arguments).fit(X, y)


def test_a_clone_has_the_parameters_and_not_the_model(fitted: AutoMLClassifier) -> None:
    copy = clone(fitted).set_params(max_trials=3)
    assert copy.get_params() == {**fitted.get_params(), "max_trials": 3}
    assert not hasattr(copy, "classes_")
    with pytest.raises(NotFittedError):
        copy.predict(X)


def test_the_seed_decides_what_is_tried() -> None:
    def tried(random_state: Any) -> float:
        return float(regressor(random_state=random_state, max_trials=2).fit(X, y).best_params_["alpha"])

    assert tried(1) == tried(1) == tried(np.int64(1)) != tried(2)
    assert tried(np.random.RandomState(5)) == tried(np.random.RandomState(5))
    assert tried(None) == tried(0)


def test_a_function_of_ones_own_is_the_metric() -> None:
    def hits(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return float(np.mean(y_true == y_pred))

    model = classifier(metric=hits).fit(X, LABELS)
    assert model.best_score_ > 0.9
    assert clone(model).metric is hits


def test_further_groups_reach_the_search() -> None:
    model = classifier(data={"positive_label": "b"}, metric="recall")
    labels = np.where(y == 0, "b", "c")
    assert list(model.fit(X, labels).classes_) == ["b", "c"]
    assert model.best_score_ == 1.0  # setosa, here b, is told apart without mistakes


# Inside scikit-learn


def test_they_are_what_scikit_learn_takes_them_for() -> None:
    assert is_classifier(AutoMLClassifier())
    assert is_regressor(AutoMLRegressor())


def test_a_pipeline_is_cross_validated() -> None:
    model = make_pipeline(StandardScaler(), classifier())
    assert cross_val_score(model, X, y, cv=2).mean() > 0.9
    probabilities = cross_val_predict(model, X, LABELS, cv=2, method="predict_proba")
    assert probabilities.shape == (150, 3)


def test_a_grid_of_parameters_is_searched() -> None:
    grid = {"search": [cheap("lda")["search"], cheap("naive_bayes")["search"]], "max_trials": np.array([1])}
    search = GridSearchCV(classifier(), grid, cv=2, scoring="neg_log_loss", error_score="raise").fit(X, LABELS)
    assert len(search.cv_results_["params"]) == 2
    assert search.best_estimator_.score(X, LABELS) > 0.9


def test_weights_are_routed_through_a_pipeline() -> None:
    weight = (LABELS != "virginica").astype(float)
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(VarianceThreshold(), classifier().set_fit_request(sample_weight=True))
        model.fit(X, LABELS, sample_weight=weight)
    assert list(model.classes_) == ["setosa", "versicolor"]


def test_a_regressor_is_scored_by_r2() -> None:
    data, target = load_diabetes(return_X_y=True)
    model = regressor().fit(data, target)
    assert 0.3 < model.score(data, target) < 1
    assert model.predict(data).dtype == np.float64
    assert model.best_score_ == model.leaderboard_["score"].iloc[0] > 0  # rmse in its own sign


# What is taken


@pytest.mark.parametrize("form", [list, np.asarray, pd.Series, lambda labels: pd.Series(labels, dtype="category")])
def test_labels_come_in_any_form(fitted: AutoMLClassifier, form: Any) -> None:
    model = classifier().fit(X, form(LABELS))
    assert list(model.classes_) == ["setosa", "versicolor", "virginica"]
    assert list(model.predict(X)) == list(fitted.predict(X))


def test_tables_with_text_dates_and_holes_are_taken() -> None:
    rows = 60
    random = np.random.default_rng(0)
    colour = random.choice(["red", "green", "blue"], rows)
    table = pd.DataFrame(
        {
            "colour": pd.Series(colour).mask(random.random(rows) < 0.1),
            "size": np.where(random.random(rows) < 0.1, np.nan, random.normal(size=rows)),
            "day": pd.date_range("2026-01-01", periods=rows),
            "tags": [["a"]] * rows,  # no model takes lists: the column is left out
        }
    )
    model = classifier().fit(table, colour)
    assert model.n_features_in_ == 4
    assert list(model.feature_names_in_) == ["colour", "size", "day", "tags"]
    assert model.score(table, colour) > 0.8
    with pytest.warns(UserWarning, match="valid feature names"):
        assert len(model.predict(table.to_numpy(dtype=object)[:3])) == 3


def test_rows_of_values_and_of_mappings_are_taken(fitted: AutoMLClassifier) -> None:
    plain = classifier().fit(X.to_numpy().tolist(), list(LABELS))
    assert not hasattr(plain, "feature_names_in_")
    assert plain.n_features_in_ == 4
    named = classifier().fit(X.to_dict("records"), LABELS)
    assert list(named.feature_names_in_) == list(X.columns)
    assert list(plain.predict(X.to_numpy())) == list(named.predict(X)) == list(fitted.predict(X))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_columns_are_checked_as_everywhere_in_scikit_learn(fitted: AutoMLClassifier) -> None:
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="unseen at fit time"):
        fitted.predict(X.assign(more=1))
    with pytest.raises(ValueError, match="3 features"):
        fitted.predict(X.to_numpy()[:, :3])
    with pytest.raises(ValueError, match="no rows"):
        fitted.predict(X[:0])
    assert list(fitted.predict(X.to_numpy())) == list(fitted.predict(X))


def test_numbered_columns_go_by_position() -> None:
    model = classifier().fit(X.set_axis([7, 3, 1, 2], axis=1), y)
    assert not hasattr(model, "feature_names_in_")
    assert (model.predict(X.to_numpy()) == y).mean() > 0.9


def test_the_model_inside_takes_columns_in_any_order(fitted: AutoMLClassifier) -> None:
    assert list(fitted.model_.predict(X[X.columns[::-1]].assign(more=1))) == list(fitted.predict(X))


def test_heavy_rows_pull_the_model() -> None:
    feature = np.linspace(-1, 1, 80).reshape(-1, 1)
    target = np.where(np.arange(80) % 2, 1.0, -1.0) + 0.01 * feature.ravel()
    model = regressor().fit(feature, target, sample_weight=np.where(target > 0, 100.0, 1.0))
    assert regressor().fit(feature, target).predict([[0.0]])[0] == pytest.approx(0, abs=0.2)
    assert model.predict([[0.0]])[0] == pytest.approx(0.98, abs=0.1)  # (100 - 1) / (100 + 1)


def test_rows_of_weight_zero_are_as_good_as_left_out() -> None:
    weight = (LABELS != "virginica").astype(float)
    model = classifier().fit(X, LABELS, sample_weight=weight)
    without = classifier().fit(X[weight > 0], LABELS[weight > 0], sample_weight=weight[weight > 0])
    assert list(model.classes_) == ["setosa", "versicolor"]
    assert np.array_equal(model.predict_proba(X), without.predict_proba(X))


@pytest.mark.parametrize(
    ("features", "target", "weight", "message"),
    [
        (X, np.where(y == 0, np.nan, 1), None, "y contains NaN: leave out the 50 rows"),
        (X, [1] * 150, None, "single class"),
        (X, np.linspace(0, 1, 150), None, "continuous"),
        (X, y[:10], None, "X has 150 rows and y has 10"),
        (X, "species", None, "one value per row"),
        (X, np.ones((150, 2)), None, "one value per row"),
        (X, None, None, "requires y to be passed"),
        (X[:3], y[:3], None, "Found 3 samples"),
        (X["petal length (cm)"], y, None, "series.to_frame"),
        (3, y, None, "Cannot learn from int"),
        (X, y, [1.0, 2.0], "sample_weight has 2"),
        (X, y, -np.ones(150), "must not be negative"),
        (X, y, ["heavy"] * 150, "sample_weight must hold one number per row"),
    ],
)
def test_unusable_data_is_a_value_error(features: Any, target: Any, weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().fit(features, target, sample_weight=weight)


def test_names_of_two_types_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="names"):
        classifier().fit(X.set_axis(["a", "b", 1, 2], axis=1), y)


# What stays


def test_nothing_is_left_on_disk(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    classifier().fit(X, y)
    assert os.listdir(tmp_path) == ["temporary"]
    assert os.listdir(tmp_path / "temporary") == []
    assert not workspace.exists()


def test_a_fitted_estimator_is_pickled_with_its_model(fitted: AutoMLClassifier) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.leaderboard_.equals(fitted.leaderboard_)
    assert again.stopped_because_ == "max_trials: 1 trials were run"


def test_fitted_again_it_forgets_what_it_knew() -> None:
    model = classifier().fit(X, LABELS)
    model.fit(X.to_numpy()[:100, :2], y[:100])
    assert list(model.classes_) == [0, 1]
    assert model.n_features_in_ == 2
    assert not hasattr(model, "feature_names_in_")
    assert set(model.predict(X.to_numpy()[:, :2])) == {0, 1}


def test_without_a_model_the_causes_are_told_and_no_vanished_directory() -> None:
    bad = {"estimator": "sklearn.linear_model.LogisticRegression", "fixed": {"C": -1}, "params": {}}
    model = classifier(search={"space": {"algorithms": {"bad": bad}}})
    with pytest.raises(NoModelError, match="Give a workspace") as caught:
        model.fit(X, y)
    assert "'C' parameter" in caught.value.causes[0]
    assert caught.value.directory is None


def experiment_of(workspace: Path) -> dict[str, Any]:
    """The only experiment that was kept."""
    (file,) = workspace.glob("*/*/experiment.yaml")
    declared: dict[str, Any] = yaml.safe_load(file.read_text())
    return declared


def test_a_workspace_is_kept_if_asked_for(tmp_path: Path) -> None:
    classifier(workspace=tmp_path / "kept").fit(X, y)
    declared = experiment_of(tmp_path / "kept")
    assert declared["registry"] is None
    assert not (tmp_path / "kept" / "mlflow.db").exists()


def test_a_name_registers_the_model(workspace: Path) -> None:
    model = classifier(name="flowers").fit(X, LABELS)
    loaded = automl.load_model("flowers@champion")  # from $AUTOML_HOME, as no workspace was named
    assert list(loaded.predict(X)) == list(model.predict(X))


# Where trials run


SMALL, LARGE = 600, 30_000
"""Cells: Iris, and a table on which a few trials are worth a worker process."""


@pytest.mark.parametrize(
    ("n_jobs", "trials", "cells", "timed", "executor"),
    [
        (1, None, LARGE, False, "inline"),
        (1, None, SMALL, True, "process"),  # an inline trial cannot be ended in time
        (2, 2, SMALL, False, "process"),
        (-1, 2, LARGE, False, "process"),
        (None, 2, SMALL, False, "inline"),
        (None, 2, SMALL, True, "process"),
        (None, 2, LARGE, False, "process"),
        (None, 50, SMALL, False, "process"),
        (None, None, SMALL, False, "process"),
    ],
)
def test_worker_processes_are_started_where_they_pay_or_have_to_be_ended(
    n_jobs: int | None, trials: int | None, cells: int, timed: bool, executor: str
) -> None:
    assert local_executor(workers_of(n_jobs), trials=trials, cells=cells, timed=timed) == executor


def test_jobs_are_counted_as_scikit_learn_counts_them() -> None:
    assert workers_of(3) == workers_of(np.int64(3)) == 3
    assert workers_of(-1) is workers_of(None) is None  # one per core, as far as cpus_per_trial allows
    assert workers_of(-2) == max(1, usable_cores() - 1)
    assert workers_of(-10_000) == 1


@pytest.mark.parametrize("limits", [{"trial_timeout": 60}, {"trial_memory": "1GB"}, {"time_budget": "1m"}])
def test_limits_among_the_groups_call_for_a_process(limits: dict[str, Any]) -> None:
    groups = classifier(limits=limits)._groups(SMALL)
    assert groups["compute"] == {"max_workers": 1, "executor": "process"}


def test_what_the_groups_say_about_compute_is_left_alone(tmp_path: Path) -> None:
    asked = {"executor": "inline", "max_workers": 1}
    classifier(n_jobs=2, time_budget="1m", compute=asked, workspace=tmp_path).fit(X, y)
    compute = experiment_of(tmp_path)["compute"]
    assert (compute["executor"], compute["max_workers"]) == ("inline", 1)


def test_inside_a_parallel_loop_a_fit_takes_one_core(tmp_path: Path) -> None:
    model = classifier(n_jobs=None, workspace=tmp_path)
    scores = cross_val_score(model, X, y, cv=2, n_jobs=2, error_score="raise")
    assert scores.min() > 0.8
    declared = [yaml.safe_load(file.read_text())["compute"] for file in tmp_path.glob("*/*/experiment.yaml")]
    assert [(group["executor"], group["max_workers"]) for group in declared] == [("inline", 1)] * 2


def test_beside_other_threads_trials_run_in_a_process(tmp_path: Path) -> None:
    model = classifier(n_jobs=None, max_trials=2, time_budget="5m", workspace=tmp_path)
    joblib.Parallel(n_jobs=2, backend="threading")([joblib.delayed(model.fit)(X, y)])
    assert len(model.leaderboard_) == 2
    assert model.stopped_because_ == "max_trials: 2 trials were run"
    compute = experiment_of(tmp_path)["compute"]
    assert (compute["executor"], compute["max_workers"]) == ("process", 1)


# The groups of an experiment file


def test_every_group_of_an_experiment_file_is_an_argument_of_both_faces() -> None:
    groups = {name for name, field in ExperimentConfig.model_fields.items() if "Options" in repr(field.annotation)}
    taken = set(inspect.signature(automl.fit).parameters)
    assert groups - {"data", "metric"} <= taken
    assert groups - {"metric", "retention"} <= set(inspect.signature(AutoMLClassifier).parameters)


def test_a_misspelt_group_is_answered_with_what_it_may_have_meant() -> None:
    with pytest.raises(ConfigError, match="did you mean 'search'"):
        automl.fit("classification", "iris", serach={})  # type: ignore[arg-type]

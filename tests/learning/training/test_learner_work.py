from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from automl.client import Run, TrialPruned
from automl.engine.space.load import load_space
from automl.engine.space.space import AlgorithmSpace
from automl.engine.trial.contract import Outcome, TrialResources, TrialSpec
from automl.errors import SpaceError
from automl.learning.algorithms.base import LearnerError
from automl.learning.data.load import load_table
from automl.learning.ensemble.bag import load_bag
from automl.learning.metrics.registry import get_metric, metric_from_callable, metrics_of
from automl.learning.tasks.registry import get_task
from automl.learning.training.cross_validation import LearnerWork, warm_imports
from automl.learning.training.fold_progress import FoldProgress
from automl.learning.validation.folds import SplitPlan
from automl.learning.validation.options import ValidationOptions
from automl.learning.validation.plan import make_plan

ALGORITHMS = {
    "logistic": AlgorithmSpace(estimator="sklearn.linear_model.LogisticRegression"),
    "tree": AlgorithmSpace(estimator="sklearn.tree.DecisionTreeClassifier", view="native"),
    "lightgbm": AlgorithmSpace(estimator="lightgbm.LGBMClassifier", view="native", fixed={"n_estimators": 40}),
    "svm": AlgorithmSpace(estimator="sklearn.svm.LinearSVC"),
    "ridge": AlgorithmSpace(estimator="sklearn.linear_model.Ridge"),
    "lightgbm_regressor": AlgorithmSpace(estimator="lightgbm.LGBMRegressor", view="native", fixed={"n_estimators": 40}),
    "plugin": AlgorithmSpace(),
}


def work_on(source: Any, task: str = "classification", metric: str = "accuracy", **changes: Any) -> LearnerWork:
    table = load_table(source, task=task)
    kind = get_task(task)
    target = kind.prepare(table.y)
    options = changes.pop("validation", ValidationOptions(folds=3))
    plan = make_plan(options, y=target.values, n_rows=len(table.X), stratify=kind.stratify, seed=0)
    work = LearnerWork(
        X=table.X,
        target=target,
        columns=table.columns,
        plan=plan,
        algorithms=ALGORITHMS,
        primary=get_metric(metric, task, target.n_classes),
        metrics=metrics_of(task, target.n_classes),
    )
    return replace(work, **changes)


@pytest.fixture(scope="module")
def iris() -> LearnerWork:
    return work_on("iris")


def large(rows: int = 4_000) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(rows, 5)), columns=list("abcde"))
    return X, (X["a"] + X["b"] ** 2 + rng.normal(size=rows) > 1).to_numpy().astype(int)


class Trial:
    """One trial in a directory, with what it reported."""

    def __init__(
        self, directory: Path, *, stop: Callable[[], bool] = lambda: False, seconds: float | None = None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.reports: list[tuple[int, float]] = []
        self._stop, self._seconds = stop, seconds

    def run(self, work: LearnerWork, algorithm: str, **changes: Any) -> Outcome:
        sink = lambda name, value, step: self.reports.append((step, value))  # noqa: E731
        run = Run(self.directory, number=0, sink=sink, stop_requested=self._stop, seconds=self._seconds)
        params = changes.pop("params", {})
        try:
            return work(TrialSpec(0, algorithm, params, self.directory, **changes), run)
        finally:
            run.close()


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path / "00000")


def test_cross_validation_scores_like_scikit_learn(trial: Trial) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    work = work_on("breast_cancer", metric="log_loss")
    outcome = trial.run(work, "logistic")
    losses = []
    for fold in work.plan.folds:
        reference = make_pipeline(StandardScaler(), LogisticRegression())
        y = work.target.values
        reference.fit(work.X.to_numpy()[fold.train], y[fold.train])
        p = reference.predict_proba(work.X.to_numpy()[fold.valid])
        losses.append(-np.log(p[np.arange(len(p)), y[fold.valid]]).mean())
    np.testing.assert_allclose(outcome.fold_scores, losses, rtol=1e-4)
    assert outcome.value == pytest.approx(np.mean(losses), rel=1e-4)


def test_an_outcome_holds_every_metric(iris: LearnerWork, trial: Trial) -> None:
    outcome = trial.run(iris, "logistic")
    assert outcome.value is not None
    assert outcome.value > 0.9
    assert outcome.metrics["accuracy"] == outcome.value == np.mean(outcome.fold_scores)
    assert {"log_loss", "f1_macro", "balanced_accuracy"} <= set(outcome.metrics)
    assert len(outcome.fold_scores) == 3
    assert outcome.fit_seconds > 0
    assert outcome.predict_seconds > 0


def test_each_fold_reports_the_mean_so_far(iris: LearnerWork, trial: Trial) -> None:
    outcome = trial.run(iris, "tree")
    scores = outcome.fold_scores
    assert trial.reports == [(100 * i, float(np.mean(scores[:i]))) for i in (1, 2, 3)]


def test_out_of_fold_predictions_are_kept(iris: LearnerWork, trial: Trial) -> None:
    trial.run(iris, "logistic")
    oof = np.load(trial.directory / "oof.npy")
    assert oof.dtype == np.float32
    assert oof.shape == (1, 150, 3)
    np.testing.assert_allclose(oof[0].sum(axis=1), 1, rtol=1e-5)
    assert np.mean(oof[0].argmax(axis=1) == iris.target.values) > 0.9


def test_the_confusion_matrix_counts_every_row(iris: LearnerWork, trial: Trial) -> None:
    trial.run(iris, "tree")
    saved = json.loads((trial.directory / "outputs" / "confusion_matrix.json").read_text())
    assert saved["labels"] == ["setosa", "versicolor", "virginica"]
    matrix = np.array(saved["matrix"])
    np.testing.assert_array_equal(matrix.sum(axis=1), [50, 50, 50])
    assert np.trace(matrix) > 130


def test_out_of_fold_predictions_are_scored_as_the_trial_is(trial: Trial) -> None:
    work = work_on("iris", validation=ValidationOptions(strategy="kfold", folds=3, repeats=2))
    outcome = trial.run(work, "logistic")
    oof = np.load(trial.directory / "oof.npy")
    assert oof.shape == (2, 150, 3)
    scores = [
        np.mean(oof[number // 3, fold.valid].argmax(axis=1) == work.target.values[fold.valid])
        for number, fold in enumerate(work.plan.folds)
    ]
    np.testing.assert_allclose(outcome.fold_scores, scores)


def test_the_confusion_matrix_agrees_with_the_score_over_repeats(trial: Trial) -> None:
    work = work_on("iris", validation=ValidationOptions(strategy="kfold", folds=3, repeats=2))
    outcome = trial.run(work, "tree")
    matrix = np.array(json.loads((trial.directory / "outputs" / "confusion_matrix.json").read_text())["matrix"])
    np.testing.assert_array_equal(matrix.sum(axis=1), [100, 100, 100])  # each row twice
    assert np.trace(matrix) / 300 == pytest.approx(outcome.value)


def test_rows_that_no_fold_validates_are_nan(trial: Trial) -> None:
    work = work_on("iris", validation=ValidationOptions(strategy="holdout", fraction=0.2))
    trial.run(work, "tree")
    oof = np.load(trial.directory / "oof.npy")
    assert np.isnan(oof[0]).all(axis=1).sum() == 120
    matrix = json.loads((trial.directory / "outputs" / "confusion_matrix.json").read_text())["matrix"]
    assert np.sum(matrix) == 30


def test_fold_models_are_the_model(iris: LearnerWork, trial: Trial) -> None:
    trial.run(iris, "lightgbm")
    bag = load_bag(trial.directory / "models")
    assert len(bag.models) == 3
    assert bag.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert bag.score(iris.X, iris.target.classes[iris.target.values]) > 0.95
    valid = iris.plan.folds[1].valid
    (oof,) = np.load(trial.directory / "oof.npy")
    np.testing.assert_allclose(bag.models[1].predict(iris.X.iloc[valid]), oof[valid], atol=1e-6)


def test_models_can_be_left_out(iris: LearnerWork, trial: Trial) -> None:
    trial.run(replace(iris, keep_models=False), "tree")
    assert not (trial.directory / "models").exists()


def test_a_regression_leaves_values(trial: Trial) -> None:
    work = work_on("diabetes", "regression", "rmse")
    outcome = trial.run(work, "ridge")
    assert 50 < outcome.value < 60  # the textbook's figure is about 55
    oof = np.load(trial.directory / "oof.npy")
    assert oof.shape == (1, 442)
    assert not (trial.directory / "outputs" / "confusion_matrix.json").exists()
    assert load_bag(trial.directory / "models").score(work.X, work.target.values) > 0.4


@pytest.mark.parametrize("algorithm", ["logistic", "lightgbm", "tree", "svm"])
def test_the_same_seed_gives_the_same_bits(iris: LearnerWork, algorithm: str, tmp_path: Path) -> None:
    first, again = Trial(tmp_path / "a"), Trial(tmp_path / "b")
    one = first.run(iris, algorithm, seed=7)
    fresh = cloudpickle.loads(cloudpickle.dumps(iris))  # nothing is kept from the first
    two = again.run(fresh, algorithm, seed=7)
    assert one.metrics == two.metrics
    assert (first.directory / "oof.npy").read_bytes() == (again.directory / "oof.npy").read_bytes()


def test_a_booster_reports_between_rounds_on_enough_rows(trial: Trial) -> None:
    work = work_on(large(), metric="roc_auc")
    outcome = trial.run(work, "lightgbm")
    steps = [step for step, _ in trial.reports]
    assert steps == [fold * 100 + percent for fold in range(3) for percent in range(10, 101, 10)]
    values = dict(trial.reports)
    # A report inside the second fold is the mean of the first fold's score and the second's as it stands.
    assert values[190] == pytest.approx(np.mean(outcome.fold_scores[:2]), abs=0.01)
    assert values[300] == outcome.value


def test_a_trial_that_is_told_to_stop_is_pruned_between_folds(iris: LearnerWork, tmp_path: Path) -> None:
    reports: list[Any] = []
    trial = Trial(tmp_path / "0", stop=lambda: len(reports) >= 1)
    trial.reports = reports
    with pytest.raises(TrialPruned):
        trial.run(iris, "tree")
    assert len(reports) == 1
    assert not (trial.directory / "models").exists()
    assert not (trial.directory / "oof.npy").exists()


def test_a_trial_that_is_told_to_stop_is_pruned_between_rounds(tmp_path: Path) -> None:
    reports: list[Any] = []
    trial = Trial(tmp_path / "0", stop=lambda: len(reports) >= 3)
    trial.reports = reports
    with pytest.raises(TrialPruned):
        trial.run(work_on(large(), metric="roc_auc"), "lightgbm")
    assert [step for step, _ in reports] == [10, 20, 30]


def test_a_booster_that_runs_out_of_time_keeps_what_it_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trial = Trial(tmp_path / "0", seconds=3.0)
    with caplog.at_level(logging.INFO, logger="automl"):
        outcome = trial.run(work_on(large(), metric="roc_auc"), "lightgbm", params={"n_estimators": 100_000})
    assert outcome.value > 0.7
    assert len(outcome.fold_scores) == 3
    assert "fold 0 was cut short" in caplog.text
    assert outcome.cut_short


HOLDOUT = ValidationOptions(strategy="holdout", fraction=0.2)


def test_a_learner_that_cannot_report_shows_first_what_a_part_of_the_rows_makes_of_it(tmp_path: Path) -> None:
    work = work_on(large(8_000), metric="roc_auc", validation=HOLDOUT)
    plain, looking = Trial(tmp_path / "plain"), Trial(tmp_path / "looking")
    expected = plain.run(work, "tree", seed=3)
    outcome = looking.run(replace(work, first_look=True), "tree", seed=3)
    assert [step for step, _ in looking.reports] == [9, 100]
    assert 0.5 < looking.reports[0][1] != looking.reports[1][1]
    # Nothing of it stays.
    assert plain.reports == looking.reports[1:]
    assert outcome.metrics == expected.metrics
    assert (plain.directory / "oof.npy").read_bytes() == (looking.directory / "oof.npy").read_bytes()


@pytest.mark.parametrize(
    ("algorithm", "rows", "validation", "first"),
    [("lightgbm", 8_000, HOLDOUT, 10), ("tree", 5_000, HOLDOUT, 100), ("tree", 8_000, ValidationOptions(folds=3), 100)],
    ids=["it reports anyway", "too few rows", "the first fold shows it"],
)
def test_a_first_look_has_to_pay(
    trial: Trial, algorithm: str, rows: int, validation: ValidationOptions, first: int
) -> None:
    trial.run(work_on(large(rows), metric="roc_auc", validation=validation, first_look=True), algorithm)
    assert trial.reports[0][0] == first


def test_a_hopeless_trial_ends_after_the_first_look(tmp_path: Path) -> None:
    reports: list[Any] = []
    trial = Trial(tmp_path / "0", stop=lambda: len(reports) >= 1)
    trial.reports = reports
    with pytest.raises(TrialPruned):
        trial.run(work_on(large(8_000), metric="roc_auc", validation=HOLDOUT, first_look=True), "svm")
    assert [step for step, _ in reports] == [9]
    assert not (trial.directory / "models").exists()


def test_a_part_that_cannot_be_learned_from_says_nothing(trial: Trial) -> None:
    X, y = large(8_000)
    y[:] = 0
    y[:5] = 1  # a ninth of the rows holds none of them
    outcome = trial.run(work_on((X, y), validation=HOLDOUT, first_look=True), "tree")
    assert [step for step, _ in trial.reports] == [100]
    assert outcome.value > 0.99


def test_a_share_of_the_rows_is_a_lower_fidelity(trial: Trial) -> None:
    work = work_on(large())
    seen: list[int] = []
    outcome = trial.run(work, "tree", fidelity=0.1)
    for model in load_bag(trial.directory / "models").models:
        seen.append(int(model.learner.model.tree_.n_node_samples[0]))
    assert seen == [round(0.1 * len(fold.train)) for fold in work.plan.folds]
    assert len(outcome.fold_scores) == 3


def test_weights_reach_models_and_scores(trial: Trial, tmp_path: Path) -> None:
    work = work_on("breast_cancer", metric="log_loss")
    weight = np.where(work.target.values == 1, 10.0, 1.0)
    weighted = trial.run(replace(work, weight=weight), "logistic")
    plain = Trial(tmp_path / "plain").run(work, "logistic")
    assert weighted.metrics["recall"] > plain.metrics["recall"]
    assert weighted.value != plain.value


def test_a_users_metric_gets_original_labels(iris: LearnerWork, trial: Trial) -> None:
    def setosa_found(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return float(np.mean(y_pred[y_true == "setosa"] == "setosa"))

    outcome = trial.run(replace(iris, primary=metric_from_callable(setosa_found)), "tree")
    assert outcome.value == 1.0
    assert outcome.metrics["setosa_found"] == 1.0
    assert [value for _, value in trial.reports] == [1.0, 1.0, 1.0]


def test_a_score_that_is_not_finite_fails_the_trial(trial: Trial) -> None:
    X, y = large(200)
    work = work_on((X, y), metric="roc_auc")
    one_class = np.flatnonzero(y == 0)[:20]
    plan = SplitPlan.of("predefined", [(np.setdiff1d(np.arange(200), one_class), one_class)], 200, description="")
    with pytest.raises(LearnerError, match="roc_auc is nan in fold 0: its validation rows do not hold every class"):
        trial.run(replace(work, plan=plan), "logistic")


def test_a_metric_that_is_undefined_in_a_fold_is_left_out(trial: Trial) -> None:
    X, y = large(200)
    work = work_on((X, y))
    one_class = np.flatnonzero(y == 0)[:20]
    plan = SplitPlan.of("predefined", [(np.setdiff1d(np.arange(200), one_class), one_class)], 200, description="")
    outcome = trial.run(replace(work, plan=plan), "logistic")
    assert "accuracy" in outcome.metrics
    assert "roc_auc" not in outcome.metrics


@pytest.mark.parametrize("algorithm", ["nothing", "plugin"])
def test_an_algorithm_without_an_estimator_is_an_error(iris: LearnerWork, trial: Trial, algorithm: str) -> None:
    with pytest.raises(SpaceError, match="no estimator"):
        trial.run(iris, algorithm)


def test_threads_are_those_of_the_trial(iris: LearnerWork, trial: Trial) -> None:
    trial.run(iris, "lightgbm", resources=TrialResources(cpus=2))
    assert load_bag(trial.directory / "models").models[0].learner.model.n_jobs == 2


def test_a_cache_is_shared_and_changes_nothing(tmp_path: Path) -> None:
    X, y = large(40_000)
    plain = work_on((X, y), metric="roc_auc")
    cached = replace(plain, cache=tmp_path / "cache")
    outcomes = [Trial(tmp_path / str(i)).run(work, "tree") for i, work in enumerate((plain, cached, cached))]
    assert outcomes[0].metrics == outcomes[1].metrics == outcomes[2].metrics
    assert len(list((tmp_path / "cache").glob("*/train.npy"))) == 3
    other = cloudpickle.loads(cloudpickle.dumps(cached))
    first = other.matrices.get(0, view="native")
    assert isinstance(first.train, np.memmap)
    assert not first.train.flags.writeable


@pytest.mark.parametrize("name", ["train.npy", "features.joblib"])
def test_a_torn_file_of_the_cache_is_made_anew(tmp_path: Path, name: str) -> None:
    X, y = large(40_000)
    cached = replace(work_on((X, y), metric="roc_auc"), cache=tmp_path / "cache")
    whole = Trial(tmp_path / "0").run(cached, "tree")
    for file in (tmp_path / "cache").glob(f"*/{name}"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    again = Trial(tmp_path / "1").run(cloudpickle.loads(cloudpickle.dumps(cached)), "tree")
    assert again.metrics == whole.metrics
    other = cloudpickle.loads(cloudpickle.dumps(cached))
    assert isinstance(
        other.matrices.get(0, view="native").train,
        np.memmap,
    )


def test_the_work_travels_without_its_matrices(iris: LearnerWork, trial: Trial) -> None:
    before = len(cloudpickle.dumps(iris))
    trial.run(iris, "tree")
    assert len(cloudpickle.dumps(iris)) == pytest.approx(before, rel=0.01)


def test_reports_inside_a_fit_depend_on_rows_alone() -> None:
    assert FoldProgress.FEWEST_ROWS == 2_000  # a change moves every pruning decision: make it on purpose


def test_warm_imports_are_those_of_the_first_trial() -> None:
    modules = warm_imports(load_space(None, task="classification"))
    assert modules[:3] == ("numpy", "pandas", "sklearn.linear_model")
    assert "lightgbm" not in modules
    for module in modules:
        __import__(module)

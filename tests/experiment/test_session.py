"""One experiment from its data to its result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_iris

import automl
from automl.config.json_schema import trial_schema
from automl.deadline import Deadline
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import ConfigError, DataError, NoModelError, WorkspaceError
from automl.experiment.models.registration import note_registered, registered_before
from automl.experiment.result import Result
from automl.experiment.results.phases import Phases
from automl.registry.candidate import RegisteredModel
from automl.registry.options import RegistryOptions
from automl.tracking.owed import is_owed

QUIET = {"tracking": None, "registry": None, "progress": False}
INLINE = {"compute": {"executor": "inline"}}
CHEAP = {
    "search": {
        "algorithms": {"allow": ["logistic_regression", "lda", "naive_bayes"]},
        "portfolio": False,
        "pruner": "none",
    }
}


def fit_iris(workspace: Path, **arguments: object) -> Result:
    options = {"metric": "accuracy", "max_trials": 4, "workspace": str(workspace), **QUIET, **INLINE, **CHEAP}
    return automl.fit("classification", "iris", **{**options, **arguments})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return fit_iris(tmp_path_factory.mktemp("workspace"))


def test_the_best_trial_is_the_one_with_the_best_score(result: Result) -> None:
    board = result.leaderboard()
    completed = int((board["status"] == "COMPLETED").sum())
    assert list(board["rank"].dropna()) == list(range(1, completed + 1))
    assert board["score"].iloc[0] == board["score"].max() == result.best.value
    assert result.best.value > 0.9


def test_the_model_takes_raw_columns_and_gives_the_labels_back(result: Result) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = load_iris().target_names[y]
    assert (result.predict(X) == names).mean() > 0.9
    assert list(result.classes_) == ["setosa", "versicolor", "virginica"]
    assert result.predict_proba(X).shape == (150, 3)
    assert np.allclose(result.predict_proba(X).sum(axis=1), 1)


def test_it_says_why_it_stopped_and_where_the_time_went(result: Result) -> None:
    assert result.stopped_because == "max_trials: 4 trials were run"
    assert {phase.name for phase in result.budget.phases} >= {"prepare", "search", "close"}
    assert "max_trials" in repr(result)
    assert "<table" in result._repr_html_()


def test_every_trial_json_is_valid_against_the_published_schema(result: Result) -> None:
    records = sorted(result.directory.glob("trials/*/trial.json"))
    assert len(records) == 4
    for record in records:
        jsonschema.validate(json.loads(record.read_text()), trial_schema())


def test_every_trial_logs_all_metrics_and_leaves_a_confusion_matrix(result: Result) -> None:
    assert {"accuracy", "log_loss", "f1_macro"} <= set(result.best.metrics)
    place = result.directory / "trials" / f"{result.best.number:05d}"
    matrix = json.loads((place / "outputs" / "confusion_matrix.json").read_text())
    assert np.sum(matrix["matrix"]) in (150, 450)
    assert (place / "oof.npy").exists()
    assert "confusion_matrix.json" in {output.path for output in result.best.outputs}


def test_the_resolved_configuration_lies_beside_the_trials(result: Result) -> None:
    config = yaml.safe_load((result.directory / "experiment.yaml").read_text())
    assert config["limits"]["max_trials"] == 4
    assert config["metric"] == "accuracy"
    assert config["seed"] == 0


def test_the_result_can_be_had_again_from_its_directory(result: Result) -> None:
    again = Result.load(result.directory)
    assert again.best == result.best
    assert again.leaderboard().equals(result.leaderboard())


def test_the_same_seed_gives_the_same_bits(result: Result, tmp_path: Path) -> None:
    again = fit_iris(tmp_path)
    pd.testing.assert_frame_equal(
        again.trials().drop(columns=["seconds", "peak_memory"]),
        result.trials().drop(columns=["seconds", "peak_memory"]),
    )


def test_another_executor_gives_the_same_bits(result: Result, tmp_path: Path) -> None:
    again = fit_iris(tmp_path, compute={"executor": "process", "max_workers": 1})
    assert again.leaderboard()[["trial", "algorithm", "score"]].equals(
        result.leaderboard()[["trial", "algorithm", "score"]]
    )


def test_pruning_is_decided_by_what_was_reported_and_not_by_timing(tmp_path: Path) -> None:
    search = {"algorithms": {"allow": ["knn", "naive_bayes", "decision_tree"]}, "portfolio": False, "pruner": "racing"}
    boards = []
    for executor in ("inline", "process"):
        compute = {"executor": executor, "max_workers": 1}
        result = fit_iris(tmp_path / executor, max_trials=20, search=search, compute=compute)
        boards.append(result.leaderboard()[["trial", "algorithm", "score", "status"]])
    assert "PRUNED" in set(boards[0]["status"])
    pd.testing.assert_frame_equal(boards[0], boards[1])


def test_another_seed_proposes_other_trials(result: Result, tmp_path: Path) -> None:
    other = fit_iris(tmp_path, seed=1)
    mine, theirs = result.trials().filter(like="params."), other.trials().filter(like="params.")
    assert not mine.equals(theirs)


def test_a_finished_experiment_is_given_back_and_can_be_extended(tmp_path: Path) -> None:
    first = fit_iris(tmp_path, max_trials=2)
    assert automl.resume(first.directory, progress=False).best == first.best
    longer = automl.resume(first.directory, max_trials=3, progress=False)
    assert len(longer.leaderboard()) == 3
    assert longer.stopped_because == "max_trials: 3 trials were run"
    assert longer.budget.spent > first.budget.spent


def test_a_finished_experiment_can_be_extended_by_time(tmp_path: Path) -> None:
    first = fit_iris(tmp_path, max_trials=1, time_budget="1h")
    budget = first.budget.spent + 4  # time for some more trials on a busy machine
    longer = automl.resume(first.directory, max_trials=100_000, time_budget=budget, progress=False)
    assert longer.stopped_because.startswith("time_budget")
    assert len(longer.trials()) > 1
    assert first.budget.spent < longer.budget.spent
    assert longer.budget.kept


def test_a_winner_that_was_registered_before_stays_so(tmp_path: Path) -> None:
    first = fit_iris(tmp_path, max_trials=2, name="flowers")
    assert first.registered_model is None
    place = ExperimentDirectory(first.directory)
    note_registered(place, first.best.number, RegisteredModel(name="flowers", version="7"))
    file = place.config
    file.write_text(
        yaml.safe_dump(yaml.safe_load(file.read_text()) | {"limits": {"max_trials": 2, "predict_time": 60}})
    )
    again = automl.resume(place.path, progress=False)  # picks anew
    assert again.best == first.best
    assert again.registered_model is not None
    assert (again.registered_model.name, again.registered_model.version) == ("flowers", "7")
    assert Result.load(place).registered_model == again.registered_model
    assert registered_before(place, again.best.number, RegistryOptions()) is not None
    assert registered_before(place, again.best.number, RegistryOptions(name="roses")) is None
    assert registered_before(place, 1 - again.best.number, None) is None


def test_a_budget_too_short_for_mlflow_registers_and_says_who_tells_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    options: dict[str, Any] = {"registry": {}, "tracking": {"uri": "http://127.0.0.1:9"}, "progress": False}
    result = automl.fit(
        "classification", "iris", max_trials=1, time_budget=25, workspace=str(tmp_path), **options, **INLINE, **CHEAP
    )
    assert result.registered_model is not None
    assert result.registered_model.version == "1"
    assert "iris version 1 is registered; MLflow is told in the background" in caplog.text
    loaded = automl.load_model("iris@champion", workspace=tmp_path)
    assert loaded.predict([[5.1, 3.5, 1.4, 0.2]]).tolist() == ["setosa"]
    assert is_owed(ExperimentDirectory(result.directory))


def test_no_phase_is_planned_to_take_less_than_nothing() -> None:
    phases = Phases(Deadline.after(20, used=17))
    phases.plan("search", -1.1)
    phases.add("search", 0.1)
    assert [phase.planned for phase in phases.budget().phases] == [0.0]


def test_data_from_memory_is_kept_for_a_resumed_session(tmp_path: Path) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    first = automl.fit("classification", (X, y), max_trials=1, workspace=str(tmp_path), **QUIET, **INLINE, **CHEAP)
    longer = automl.resume(first.directory, max_trials=2, progress=False)
    assert len(longer.leaderboard()) == 2


def test_changed_data_is_refused(tmp_path: Path) -> None:
    frame = load_iris(as_frame=True).frame
    file = tmp_path / "flowers.csv"
    frame.to_csv(file, index=False)
    options = {"target": "target", "workspace": str(tmp_path / "ws"), **QUIET, **INLINE, **CHEAP}
    first = automl.fit("classification", file, max_trials=1, **options)  # type: ignore[arg-type]
    frame.iloc[::-1].to_csv(file, index=False)
    with pytest.raises(DataError, match="changed"):
        automl.resume(first.directory, max_trials=2, progress=False)


def test_all_trials_failing_is_an_error_that_carries_the_causes(tmp_path: Path) -> None:
    space = {
        "algorithms": {
            "bad": {"estimator": "sklearn.linear_model.LogisticRegression", "fixed": {"C": -1}, "params": {}},
        }
    }
    with pytest.raises(NoModelError) as caught:
        fit_iris(tmp_path, search={"space": space})
    assert "'C' parameter of LogisticRegression" in str(caught.value)
    assert caught.value.directory is not None


def test_the_test_part_is_scored_once_at_the_end(tmp_path: Path) -> None:
    frame = load_iris(as_frame=True).frame.sample(frac=1, random_state=0)
    data = {"source": frame[:100], "test": frame[100:], "target": "target"}
    result = automl.fit(
        "classification", data, metric="accuracy", max_trials=2, workspace=str(tmp_path), **QUIET, **INLINE, **CHEAP
    )
    assert 0.8 < result.test_metrics["accuracy"] <= 1


def test_a_users_function_can_be_the_metric(tmp_path: Path) -> None:
    def hits(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        assert set(y_true) <= {"setosa", "versicolor", "virginica"}
        return float(np.mean(y_true == y_pred))

    result = fit_iris(tmp_path, metric=hits, max_trials=2)
    assert result.summary.metric == "hits"
    assert result.best.value == pytest.approx(result.best.metrics["accuracy"])


def test_regression_works_the_same_way(tmp_path: Path) -> None:
    result = automl.fit(
        "regression",
        "diabetes",
        max_trials=3,
        workspace=str(tmp_path),
        search={"algorithms": {"allow": ["ridge", "elastic_net"]}},
        **QUIET,
        **INLINE,
    )
    assert not result.summary.maximize
    assert result.predict(np.zeros((2, 10))).shape == (2,)


def test_without_limits_the_search_stops_by_patience(tmp_path: Path) -> None:
    space = {
        "algorithms": {
            "nb": {
                "estimator": "sklearn.naive_bayes.GaussianNB",
                "params": {"var_smoothing": {"type": "float", "low": 1e-9, "high": 1e-8, "log": True}},
            }
        }
    }
    options = {"workspace": str(tmp_path), **QUIET, **INLINE, "search": {"space": space}}
    result = automl.fit("classification", "iris", validation={"strategy": "holdout"}, **options)  # type: ignore[arg-type]
    assert result.stopped_because.startswith("patience: 30 trials in a row")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"metric": "accurracy"}, ConfigError, "accuracy"),
        ({"metric": "rmse"}, ConfigError, "regression"),
        ({"validation": {"fold": "nowhere"}}, DataError, "nowhere"),
        ({"search": {"algorithms": {"allow": ["lightgmb"]}}}, ConfigError, "lightgbm"),
        ({"search": {"sampler": "grip"}}, ConfigError, "search.sampler"),
        ({"compute": {"executor": "rays"}}, ConfigError, "ray"),
        ({"limits": {"max_trials": 4, "time_bugdet": 3}}, ConfigError, "time_budget"),
        ({"time_budget": "soon"}, ConfigError, "not a duration"),
        ({"ensemble": {"size": 3}}, ConfigError, "later version"),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    tmp_path: Path, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fit_iris(tmp_path, **arguments)


def test_a_workspace_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(WorkspaceError, match="taken"):
        fit_iris(tmp_path / "taken")

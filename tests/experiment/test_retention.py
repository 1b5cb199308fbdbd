"""While a search goes on, models that nobody will ask for go; and what was deleted can be had again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import automl
from automl import api
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError
from automl.experiment.models.retention import Retention
from automl.experiment.result import Result
from automl.experiment.results.objectives import Objectives


def search(workspace: Path, **arguments: Any) -> ExperimentDirectory:
    options: dict[str, Any] = {
        "metric": "log_loss",
        "max_trials": 6,
        "name": "flowers",
        "search": {"algorithms": {"allow": ["logistic_regression", "lda"]}, "portfolio": False, "pruner": None},
        "validation": {"strategy": "kfold", "folds": 3},
        "compute": {"executor": "inline"},
        "retention": {"models": 2},
    }
    quiet: dict[str, Any] = {"tracking": None, "registry": None, "progress": False}
    result = automl.fit("classification", "iris", workspace=str(workspace), **{**options, **quiet, **arguments})
    return ExperimentDirectory(result.directory)


def with_models(experiment: ExperimentDirectory) -> set[int]:
    return {n for n in experiment.trial_numbers() if experiment.trial(n).models.exists()}


def ranked(experiment: ExperimentDirectory) -> list[int]:
    return [int(number) for number in Result.load(experiment).leaderboard()["trial"]]


def test_the_best_keep_their_models_and_all_keep_their_records(workspace: Path) -> None:
    experiment = search(workspace)
    assert with_models(experiment) == set(ranked(experiment)[:2])
    for number in experiment.trial_numbers():
        trial = experiment.trial(number)
        assert (trial.path / "oof.npy").exists()
        assert (trial.outputs / "confusion_matrix.json").exists()
        assert json.loads(trial.result.read_text())["model_size"] > 0
    assert api.gc()["items"] == []  # which keeps as many by default


@pytest.mark.usefixtures("_followed")
def test_a_trial_without_models_is_fitted_again_and_registered(workspace: Path) -> None:
    experiment = search(workspace)
    last = ranked(experiment)[-1]
    registered = api.register(experiment.path, trial=last, name="flowers")
    assert registered.version == "1"
    assert last in with_models(experiment)
    assert list(api.load_model("flowers/1").predict([[5.1, 3.5, 1.4, 0.2]])) == ["setosa"]
    extended = automl.resume(experiment.path, max_trials=9, progress=False)
    assert last in with_models(experiment)  # it is registered now
    assert len(with_models(experiment)) == len({*ranked(experiment)[:2], last, extended.best.number})


@pytest.mark.usefixtures("_followed")
def test_a_record_that_does_not_repeat_is_not_registered(workspace: Path) -> None:
    experiment = search(workspace)
    last = ranked(experiment)[-1]
    record = experiment.trial(last).result
    written = json.loads(record.read_text())
    record.write_text(json.dumps({**written, "value": 0.123}))
    with pytest.raises(WorkspaceError, match=rf"models of trial {last} were deleted, and fitting it again .* 0\.123"):
        api.register(experiment.path, trial=last)
    record.write_text(json.dumps({**written, "cut_short": True}))
    with pytest.raises(WorkspaceError, match="cannot be repeated: the clock ended one of its fits"):
        api.register(experiment.path, trial=last)
    assert last not in with_models(experiment)


def test_a_winner_whose_models_were_collected_is_fitted_again(workspace: Path) -> None:
    experiment = search(workspace)
    api.gc(keep=0, delete=True)
    for number in with_models(experiment):  # as somebody with an axe would
        for file in experiment.trial(number).models.iterdir():
            file.unlink()
        experiment.trial(number).models.rmdir()
    extended = automl.resume(experiment.path, max_trials=7, progress=False)
    assert extended.predict([[5.1, 3.5, 1.4, 0.2]])[0] == "setosa"


# The policy alone


@pytest.fixture
def directory(tmp_path: Path) -> ExperimentDirectory:
    return ExperimentDirectory(tmp_path)


def ended(directory: ExperimentDirectory, number: int, value: float | None, **fields: Any) -> TrialResult:
    """A trial that has left models."""
    models = directory.trial(number).models
    models.mkdir(parents=True)
    (models / "fold_00.joblib").write_text("a model")
    status = Status.COMPLETED if value is not None else Status.TIMED_OUT
    fields = {"status": status, "metrics": {} if value is None else {"accuracy": value}, **fields}
    return TrialResult(number=number, algorithm="a", value=value, seconds=1.0, **fields)


def objectives(**fields: Any) -> Objectives:
    return Objectives(goals={"accuracy": "maximize"}, **fields)


def test_models_of_trials_that_did_not_complete_go(directory: ExperimentDirectory) -> None:
    retention = Retention(directory, objectives(), 5)
    retention.observe([ended(directory, 0, 0.5), ended(directory, 1, None), ended(directory, 2, 0.9, fidelity=0.5)], 0)
    assert with_models(directory) == {0}


def test_null_keeps_everything(directory: ExperimentDirectory) -> None:
    Retention(directory, objectives(), None).observe([ended(directory, n, n / 10) for n in range(5)], 4)
    assert with_models(directory) == set(range(5))


def test_the_best_stays_whatever_is_kept(directory: ExperimentDirectory) -> None:
    retention = Retention(directory, objectives(), 0)
    for number, (value, best) in enumerate([(0.5, 0), (0.4, 0), (0.6, 2)]):
        retention.observe([ended(directory, number, value)], best)
    assert with_models(directory) == {2}


def test_of_equal_scores_the_earlier_stays(directory: ExperimentDirectory) -> None:
    retention = Retention(directory, objectives(), 2)
    for number in range(4):
        retention.observe([ended(directory, number, 0.5)], 0)
    assert with_models(directory) == {0, 1}


def test_whatever_the_rule_may_pick_stays(directory: ExperimentDirectory) -> None:
    """One standard error picks the cheapest of the good ones: it is on the front, however many score better."""
    retention = Retention(directory, objectives(pick="one_standard_error"), 1)
    costs = [(0.80, 1e-4), (0.90, 1e-2), (0.85, 1e-3), (0.84, 2e-3), (0.70, 1e-4)]
    for number, (value, latency) in enumerate(costs):
        retention.observe(
            [ended(directory, number, value, predict_latency=latency, model_size=100)], 0 if not number else 1
        )
    assert with_models(directory) == {0, 1, 2}


def test_registered_models_and_links_are_left_alone(directory: ExperimentDirectory, tmp_path: Path) -> None:
    results = [ended(directory, number, number / 10) for number in range(4)]
    directory.trial(0).registered.write_text("{}")
    elsewhere = tmp_path / "elsewhere"
    directory.trial(1).models.rename(elsewhere)
    directory.trial(1).models.symlink_to(elsewhere)
    Retention(directory, objectives(), 1).observe(results, 3)
    assert with_models(directory) == {0, 1, 3}
    assert (elsewhere / "fold_00.joblib").exists()


def with_checkpoints(experiment: ExperimentDirectory) -> set[int]:
    return {n for n in experiment.trial_numbers() if experiment.trial(n).checkpoint.exists()}


@pytest.mark.parametrize(
    ("continues", "models", "kept"), [(False, 5, {4}), (True, 5, {1, 2, 4}), (False, None, {*range(5)})]
)
def test_checkpoints_stay_as_long_as_a_trial_may_go_on_from_them(
    directory: ExperimentDirectory, continues: bool, models: int | None, kept: set[int]
) -> None:
    results = [
        ended(directory, 0, 0.9),
        ended(directory, 1, 0.5, fidelity=0.5),
        ended(directory, 2, None),
        ended(directory, 3, 0.8),
    ]
    for number in range(5):  # the last one's trial has not ended
        directory.trial(number).path.mkdir(parents=True, exist_ok=True)
        directory.trial(number).checkpoint.mkdir()
    Retention(directory, objectives(), models, continues=continues).observe(results, 0)
    assert with_checkpoints(directory) == kept


def test_a_resumed_search_drops_what_an_earlier_session_left(directory: ExperimentDirectory) -> None:
    results = [ended(directory, number, number / 10) for number in range(6)]
    Retention(directory, objectives(), 2).observe(results, 5)  # the first state lists all that ended before
    assert with_models(directory) == {4, 5}

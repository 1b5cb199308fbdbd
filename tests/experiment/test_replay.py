"""A trial comes to its recorded score again, and what stands in the way is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import automl
from automl import api
from automl.engine.space.library import shipped_space
from automl.errors import AutomlError, DataError, MetricError, WorkspaceError
from automl.experiment.result import Result

ALGORITHMS = ["logistic_regression", "random_forest", "naive_bayes"]


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    color = rng.choice(["red", "green", None], 150, p=[0.5, 0.4, 0.1])
    a, b = rng.normal(size=(2, 150))
    return pd.DataFrame({"a": a, "b": b, "color": color, "y": np.where(a + (color == "red") > b, "yes", "no")})


def search(workspace: Path, data: Any, **arguments: Any) -> Result:
    options: dict[str, Any] = {
        "target": "y",
        "metric": "log_loss",
        "max_trials": 3,
        "seed": 5,
        "name": "colors",
        "validation": {"strategy": "kfold", "folds": 3},
        "search": {"algorithms": {"allow": ALGORITHMS}, "portfolio": False, "pruner": None},
        "compute": {"executor": "inline"},
    }
    quiet: dict[str, Any] = {"tracking": None, "registry": None, "progress": False}
    return automl.fit("classification", data, workspace=str(workspace), **{**options, **quiet, **arguments})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment on a file: the folder that holds ``data.csv`` and the workspace."""
    place = tmp_path_factory.mktemp("replay")
    table().to_csv(place / "data.csv", index=False)
    search(place / "ws", str(place / "data.csv"))
    return place


@pytest.fixture
def experiment(original: Path, tmp_path: Path) -> Path:
    """A copy of its directory that a test may damage."""
    (config,) = (original / "ws").glob("*/*/experiment.yaml")
    return Path(shutil.copytree(config.parent, tmp_path / "colors" / config.parent.name))


def edit(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def content(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_every_trial_comes_to_its_score_and_leaves_nothing(experiment: Path) -> None:
    before = content(experiment)
    for number in range(3):
        done = api.replay(experiment, trial=number)
        assert done.recorded.number == done.replayed.number == number
        assert len(done.scores) == 1 + 3
        assert done.identical, done.verdict
        assert done.equal
        assert done.changed == {}
    assert content(experiment) == before


def test_the_winner_is_replayed_in_a_process_as_well(experiment: Path) -> None:
    config = experiment / "experiment.yaml"
    text = config.read_text()
    assert "executor: inline" in text
    config.write_text(text.replace("executor: inline", "executor: process"))
    done = api.replay(experiment)
    assert done.recorded.number == Result.load(experiment).best.number
    assert done.replayed.worker != done.recorded.worker
    assert done.identical, done.verdict


def test_data_from_memory_is_replayed_from_its_copy(tmp_path: Path) -> None:
    result = search(tmp_path, table(), max_trials=1)
    assert api.replay(result.directory).identical


def test_a_function_of_the_callers_is_asked_for(tmp_path: Path) -> None:
    def hits(y_true: Any, y_pred: Any) -> float:
        return float(np.mean(np.asarray(y_true) == np.asarray(y_pred)))

    result = search(tmp_path, table(), metric=hits, max_trials=1)
    with pytest.raises(MetricError, match="hits"):
        api.replay(result.directory)
    assert api.replay(result.directory, metric=hits).identical


def test_another_score_is_found_and_the_versions_that_changed_are_named(experiment: Path) -> None:
    record = experiment / "trials" / "00000" / "trial.json"
    value = json.loads(record.read_text())["value"]
    edit(record, value=value * (1 + 1e-12))
    close = api.replay(experiment, trial=0)
    assert close.equal
    assert not close.identical
    edit(record, value=value + 0.01)
    environments = json.loads((experiment / "environment.json").read_text())["environments"]
    assert len(environments) == 1
    environments[0]["packages"]["scikit-learn"] = "0.1"
    edit(experiment / "environment.json", environments=environments)
    done = api.replay(experiment, trial=0)
    assert not done.equal
    assert "scikit-learn was 0.1 and is" in done.verdict
    assert repr(value) in done.verdict
    (experiment / "environment.json").unlink()
    assert "did not record the versions" in api.replay(experiment, trial=0).verdict


def test_a_fold_of_another_score_is_found(experiment: Path) -> None:
    record = experiment / "trials" / "00000" / "trial.json"
    folds = json.loads(record.read_text())["fold_scores"]
    edit(record, fold_scores=[folds[1], folds[0], folds[2]])
    done = api.replay(experiment, trial=0)
    assert not done.equal
    assert "its folds reached other scores" in done.verdict


def test_a_trial_that_fails_now_is_no_equal(experiment: Path) -> None:
    params = experiment / "trials" / "00000" / "params.json"
    edit(params, params={"no_such_parameter": 1})
    done = api.replay(experiment, trial=0)
    assert not done.equal
    assert "did not complete this time: it ended FAILED" in done.verdict


def lose_params(place: Path) -> None:
    (place / "trials" / "00000" / "params.json").unlink()


def damage_params(place: Path) -> None:
    edit(place / "trials" / "00000" / "params.json", algorithm="lightgbm")


def lose_record(place: Path) -> None:
    (place / "trials" / "00000" / "trial.json").unlink()


def end_otherwise(place: Path) -> None:
    edit(place / "trials" / "00000" / "trial.json", status="PRUNED")


def lose_trial(place: Path) -> None:
    shutil.rmtree(place / "trials" / "00000")


def lose_plan(place: Path) -> None:
    (place / "data" / "split_plan.npz").unlink()


def rename_algorithm(place: Path) -> None:
    for name in ("params.json", "trial.json"):
        edit(place / "trials" / "00000" / name, algorithm="lost")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lose_params, r"params\.json is missing"),
        (damage_params, r"params\.json is damaged"),
        (lose_record, r"trial\.json is missing or damaged"),
        (end_otherwise, "ended PRUNED, and only a completed one"),
        (lose_trial, r"no trial 0 in .*: its trials are 1 to 2"),
        (lose_plan, r"split_plan\.npz is missing"),
        (rename_algorithm, "fitted lost, which cannot run here"),
    ],
)
def test_a_record_that_is_not_whole_is_refused(experiment: Path, damage: Any, sentence: str) -> None:
    damage(experiment)
    with pytest.raises(WorkspaceError, match=sentence):
        api.replay(experiment, trial=0)


def test_a_trial_that_was_cut_short_cannot_be_repeated(experiment: Path) -> None:
    edit(experiment / "trials" / "00000" / "trial.json", cut_short=True)
    with pytest.raises(WorkspaceError, match=r"Trial 0 .* cannot be repeated: the clock ended one of its fits"):
        api.replay(experiment, trial=0)


def test_a_training_that_went_on_from_another_cannot_be_repeated_alone(experiment: Path) -> None:
    edit(experiment / "trials" / "00001" / "trial.json", parent=0)
    assert api.replay(experiment, trial=1).identical, "a tree begins anew, whoever its parent is"
    config = experiment / "experiment.yaml"
    written = yaml.safe_load(config.read_text())
    algorithm = json.loads((experiment / "trials" / "00001" / "params.json").read_text())["algorithm"]
    entry = yaml.safe_load(shipped_space("classification").read_text())["algorithms"][algorithm]
    written["search"]["algorithms"] = {}
    written["search"]["space"] = {"algorithms": {algorithm: {**entry, "anytime": True}}}
    config.write_text(yaml.safe_dump(written))
    with pytest.raises(WorkspaceError, match="cannot be repeated alone: its training continues from where that of tr"):
        api.replay(experiment, trial=1)


def test_an_experiment_without_a_result_has_no_winner(experiment: Path) -> None:
    (experiment / "result.json").unlink()
    with pytest.raises(WorkspaceError, match="no winner yet: name a trial with --trial"):
        api.replay(experiment)
    assert api.replay(experiment, trial=1).identical


def test_changed_data_is_refused(experiment: Path, original: Path, tmp_path: Path) -> None:
    changed = table()
    changed.loc[3, "a"] += 1
    changed.to_csv(tmp_path / "changed.csv", index=False)
    config = experiment / "experiment.yaml"
    config.write_text(config.read_text().replace(str(original / "data.csv"), str(tmp_path / "changed.csv")))
    with pytest.raises(DataError, match="has changed since it began"):
        api.replay(experiment)
    (tmp_path / "changed.csv").unlink()
    with pytest.raises(AutomlError, match=r"changed\.csv"):
        api.replay(experiment)


def test_a_resumed_experiment_notes_other_versions_once(original: Path) -> None:
    (config,) = (original / "ws").glob("*/*/experiment.yaml")
    noted = config.parent / "environment.json"
    before = json.loads(noted.read_text())["environments"]
    automl.resume(config.parent, max_trials=4, progress=False)
    assert json.loads(noted.read_text())["environments"] == before
    older = {**before[0], "python": "3.0.0"}
    edit(noted, environments=[older])
    automl.resume(config.parent, max_trials=5, progress=False)
    first, second = json.loads(noted.read_text())["environments"]
    assert first == older
    assert {**second, "since": ""} == {**before[0], "since": ""}
    assert api.replay(config.parent, trial=0).changed == {"python": ("3.0.0", before[0]["python"])}
    assert api.replay(config.parent, trial=4).changed == {}

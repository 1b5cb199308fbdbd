"""Choosing among good models, from the search to the result: limits on models, the rule, several metrics, the front."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import automl
from automl import api
from automl.cli import commands
from automl.cli.app import app
from automl.errors import DamagedFileError, NoModelError
from automl.experiment.result import Result

# On products of two columns a forest is right and a line is not; the small forest is somewhere between.
ALGORITHMS = {
    "forest": {"estimator": "sklearn.ensemble.RandomForestClassifier", "fixed": {"n_estimators": 100}},
    "grove": {"estimator": "sklearn.ensemble.RandomForestClassifier", "fixed": {"n_estimators": 10}},
    "line": {"estimator": "sklearn.linear_model.LogisticRegression"},
}
SMALL = 100_000
"""Bytes: above three lines (5 KB), below three groves (200 KB)."""


def products(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, size=(240, 3))
    y = (X[:, 0] * X[:, 1] > 0) ^ (rng.uniform(size=240) < 0.1)
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": np.where(y, "yes", "no")})


def fit(workspace: Path, *, seed: int = 0, pick: str = "best", metric: Any = "accuracy", **limits: object) -> Result:
    return automl.fit(
        "classification",
        products(seed),
        target="y",
        metric=metric,
        name="products",
        validation={"strategy": "kfold", "folds": 3},
        search={"space": {"algorithms": ALGORITHMS}, "pick": pick, "pruner": "none"},
        limits=limits,
        workspace=str(workspace),
        compute={"executor": "inline"},
        tracking=None,
        registry=None,
        progress=False,
    )


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Only the line is small enough, and only forests reach the target."""
    place = tmp_path_factory.mktemp("limited")
    return fit(place, metric=["log_loss", "accuracy"], model_size=SMALL, target_score=0.6)


def test_the_best_within_the_limits_wins_and_the_others_stay_in_the_record(limited: Result) -> None:
    board = limited.leaderboard()
    assert limited.best.algorithm == board["algorithm"].iloc[0] == "line"
    assert set(board["algorithm"][1:]) == {"forest", "grove"}
    assert list(board["over_limit"]) == ["", "model_size", "model_size"]
    assert board["score"].iloc[1] < board["score"].iloc[0]  # the forest's loss is smaller, but it may not win
    assert "forest: log_loss" in limited.summary.winner.because
    assert "scored better, but has" in repr(limited)


def test_a_target_that_only_too_large_models_reach_does_not_stop_the_search(limited: Result) -> None:
    assert limited.leaderboard()["score"].min() < 0.6
    assert limited.stopped_because.startswith("space exhausted")


def test_the_leaderboard_shows_every_metric_that_was_asked_for(limited: Result) -> None:
    columns = list(limited.leaderboard())
    assert columns[columns.index("score") + 1] == "accuracy"
    assert limited.leaderboard()["accuracy"].notna().all()


def test_the_front_holds_what_is_best_at_something(limited: Result) -> None:
    front = limited.front()
    assert {"forest", "line"} <= set(front["algorithm"])  # least loss; least size
    assert front["front"].all()
    assert front["score"].notna().all()


def test_the_leaderboard_of_an_experiment_that_still_runs_is_sorted_the_right_way(
    limited: Result, tmp_path: Path
) -> None:
    place = shutil.copytree(limited.directory, tmp_path / "products" / "copy")
    (place / "result.json").unlink()
    shown = api.show_leaderboard(place)
    assert (shown["metric"], shown["goal"], shown["winner"]) == ("log_loss", "minimize", None)
    assert [row["algorithm"] for row in shown["leaderboard"]] == list(limited.leaderboard()["algorithm"])


def test_the_command_prints_the_leaderboard_and_its_front(limited: Result) -> None:
    commands.load()
    place = str(limited.directory)
    printed = CliRunner().invoke(app, ["leaderboard", place], env={"COLUMNS": "80"}).stdout
    assert max(map(len, printed.splitlines())) <= 80
    for word in ("log_loss", "accuracy", "latency", "over limit", "picked", "scored better"):
        assert word in printed
    listed = json.loads(CliRunner().invoke(app, ["leaderboard", place, "--front", "--json"]).stdout)
    assert {row["algorithm"] for row in listed["leaderboard"]} == set(limited.front()["algorithm"])
    assert listed["winner"]["trials"] == [limited.best.number]


def test_with_nothing_within_the_limits_all_is_kept_and_a_raised_limit_is_enough(tmp_path: Path) -> None:
    with pytest.raises(NoModelError, match="3 trials completed, and none is within the limits") as caught:
        fit(tmp_path, model_size=1024)
    assert "the smallest is trial" in str(caught.value)
    place = caught.value.directory
    assert place is not None
    with pytest.raises(NoModelError, match="No completed trial is within the limits"):
        _ = Result.load(place).best
    assert [row["status"] for row in api.list_runs(tmp_path)] == ["finished"]
    file = place / "experiment.yaml"
    file.write_text(file.read_text().replace("model_size: 1024", f"model_size: {SMALL}"))
    again = automl.resume(place, progress=False)
    assert again.best.algorithm == "line"
    assert len(again.leaderboard()) == 3


def test_the_winner_is_picked_anew_where_the_limits_were_edited(limited: Result, tmp_path: Path) -> None:
    place = shutil.copytree(limited.directory, tmp_path / "products" / "copy")
    assert automl.resume(place, progress=False).best == limited.best
    file = place / "experiment.yaml"
    file.write_text(file.read_text().replace(f"model_size: {SMALL}", "model_size: null"))
    again = automl.resume(place, progress=False)
    assert again.best.algorithm == "forest"
    assert len(again.leaderboard()) == 3
    assert again.summary.winner.because == ""


def test_damaged_objectives_are_named_and_written_anew(limited: Result, tmp_path: Path) -> None:
    place = shutil.copytree(limited.directory, tmp_path / "products" / "copy")
    (place / "data" / "objectives.json").write_text('{"goals": {')
    with pytest.raises(DamagedFileError, match=r"objectives\.json"):
        api.show_leaderboard(place)
    assert automl.resume(place, progress=False).best == limited.best
    assert api.show_leaderboard(place)["winner"]["trials"] == [limited.best.number]


def test_the_cheapest_within_one_standard_error(tmp_path: Path) -> None:
    result = fit(tmp_path, seed=6, pick="one_standard_error")
    first = result.leaderboard().iloc[0]
    assert first["algorithm"] == "forest"  # better than the grove, by less than a standard error, and 10 times as large
    assert result.best.algorithm == "grove"
    assert result.best.predict_latency < first["latency"]
    assert "Within one standard error" in result.summary.winner.because
    assert result.predict(products(seed=6).drop(columns="y")).shape == (240,)
    assert Result.load(result.directory).best == result.best

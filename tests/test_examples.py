"""Every example runs as it stands, in a workspace of its own. The long ones are marked slow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from automl import api

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(place: Path, *command: str | Path) -> str:
    """What `python COMMAND...` prints."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=place, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_run_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.iterdir() if f'"{path.name}"' not in source] == []


@pytest.mark.parametrize("name", ["iris.yaml", "own_space_experiment.yaml"])
def test_experiments_can_be_planned(name: str) -> None:
    plan = api.plan(EXAMPLES / name)
    assert plan["limits"]["max_trials"] is not None  # they come to an end on a fast machine, too
    assert plan["limits"]["time_budget"] <= 120  # and on a slow one


def test_a_space_of_ones_own_is_all_there_is_to_search() -> None:
    plan = api.plan(EXAMPLES / "own_space_experiment.yaml")
    assert [algorithm["algorithm"] for algorithm in plan["algorithms"]] == ["extra_trees"]
    assert (EXAMPLES / "own_space.yaml").is_file()


def test_a_function_as_the_metric_on_fewer_trials(tmp_path: Path) -> None:
    code = (EXAMPLES / "callable_metric.py").read_text(encoding="utf-8")
    assert "max_trials=12" in code
    short = tmp_path / "callable_metric.py"
    short.write_text(code.replace("max_trials=12", "max_trials=2, registry=None, tracking=None"), encoding="utf-8")
    assert "metrics.recall" in run(tmp_path, short)


@pytest.mark.slow
def test_a_function_as_the_metric(tmp_path: Path) -> None:
    printed = run(tmp_path, EXAMPLES / "callable_metric.py")
    assert "benefit = -0." in printed  # missed tumours cost less than 1 per patient; guessing costs 3.7


@pytest.mark.slow
def test_iris_ends_with_leaderboard_reason_and_registered_model(tmp_path: Path) -> None:
    printed = run(tmp_path, "-m", "automl", "run", EXAMPLES / "iris.yaml")
    assert "rank" in printed
    assert "stopped because" in printed
    assert "iris version 1" in printed


def test_a_search_begins_with_what_an_earlier_one_has_found(tmp_path: Path) -> None:
    printed = run(tmp_path, EXAMPLES / "warm_start.py")
    assert '"warm_start": "classification/' in printed


@pytest.mark.slow
def test_a_space_of_ones_own(tmp_path: Path) -> None:
    printed = run(tmp_path, "-m", "automl", "run", EXAMPLES / "own_space_experiment.yaml")
    assert "extra_trees" in printed
    assert "wine version 1" in printed


@pytest.mark.slow
def test_quickstart(tmp_path: Path) -> None:
    assert "['setosa']" in run(tmp_path, EXAMPLES / "quickstart.py")


@pytest.mark.slow
def test_regression(tmp_path: Path) -> None:
    printed = run(tmp_path, EXAMPLES / "regression.py")
    score = float(printed.split("r2 = ")[1].split()[0])
    assert score > 0.4  # ridge regression with its defaults reaches 0.48 on the same folds

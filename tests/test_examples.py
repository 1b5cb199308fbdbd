"""Every example runs as it stands, in a workspace of its own. The long ones are marked slow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from automl import api

EXAMPLES = Path(__file__).parents[1] / "examples"
DATA = os.environ.get("AUTOML_DATA_DIR")
"""Read before a test's environment is made, which has none."""


def run(place: Path, *command: str | Path, timeout: float = 240) -> str:
    """What `python COMMAND...` prints."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=place, capture_output=True, text=True, timeout=timeout, check=False
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
    quiet = 'max_trials=2, registry=None, tracking=None, compute={"executor": "process", "max_workers": 1}'
    short.write_text(code.replace("max_trials=12", quiet), encoding="utf-8")
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
    printed = run(tmp_path, shortened(tmp_path, "warm_start.py", {'"max_trials": 6': '"max_trials": 2'}))
    assert '"warm_start": "classification/' in printed


@pytest.mark.slow
def test_a_space_of_ones_own(tmp_path: Path) -> None:
    printed = run(tmp_path, "-m", "automl", "run", EXAMPLES / "own_space_experiment.yaml")
    assert "extra_trees" in printed
    assert "wine version 1" in printed


def test_an_experiment_on_pictures_is_valid() -> None:
    config = api.validate(EXAMPLES / "images.yaml")
    assert config.task == "image_classification"
    assert config.limits.time_budget == 600


LIGHT = 'metric="accuracy", compute={"executor": "process", "max_workers": 1}, registry=None, tracking=None'
"""In place of ``metric="accuracy"``: without Ray's and MLflow's start."""


def pictures(folder: Path, side: int) -> Path:
    """Sixty small coloured pictures of noise in two classes, one darker than the other."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(60):
        name, brightest = (("dark", 100), ("light", 256))[number % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, brightest, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def shortened(place: Path, name: str, changes: dict[str, str]) -> Path:
    """The example with `changes` made in its code. It keeps its name: trials import it by that."""
    code = (EXAMPLES / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in code
        code = code.replace(old, new)
    short = place / name
    short.write_text(code, encoding="utf-8")
    return short


def test_a_training_loop_of_ones_own_logs_and_is_searched(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    folder = pictures(tmp_path / "two", 32)
    changes = {
        '"cifar10", ': f"{str(folder)!r}, ",
        'metric="accuracy"': LIGHT.replace("process", "inline"),  # without PyTorch's start in a worker, twice
        "8_000": "20",
        'time_budget="15m"': "max_trials=2",
    }
    printed = run(tmp_path, shortened(tmp_path, "tutorial_cifar10.py", changes))
    assert printed.count("loss = ") >= 4  # two epochs of 48 pictures, for each fold
    assert "batch_size" in printed


def test_an_estimator_of_ones_own_is_fitted_to_pictures(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "two", 8)
    changes = {'"mnist", ': f"{str(folder)!r}, ", 'metric="accuracy"': LIGHT}
    printed = run(tmp_path, shortened(tmp_path, "tutorial_mnist.py", changes))
    found = re.search(r"^accuracy = ([\d.]+) on the validation rows$", printed, re.MULTILINE)
    assert found is not None, printed
    assert float(found[1]) > 0.9  # a threshold on the brightness makes no mistake


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    changes = {'metric="accuracy"': LIGHT, "max_trials=40": "max_trials=2", '"60s"': '"15s"'}
    assert "['8']" in run(tmp_path, shortened(tmp_path, "pictures.py", changes))


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="needs AUTOML_DATA_DIR")
def test_the_tutorials_loss_falls_as_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_DATA_DIR", str(DATA))
    changes = {'metric="accuracy"': LIGHT, 'time_budget="15m"': "max_trials=1"}
    printed = run(tmp_path, shortened(tmp_path, "tutorial_cifar10.py", changes), timeout=1200)
    losses = re.findall(r"loss = ([\d.]+)", printed)
    assert 2.0 < float(losses[0]) < 2.31  # log(10) is that of guessing; 2.19 is published
    assert 1.15 < float(losses[-1]) < 1.45  # 1.27 is published


@pytest.mark.slow
def test_quickstart(tmp_path: Path) -> None:
    assert "['setosa']" in run(tmp_path, EXAMPLES / "quickstart.py")


@pytest.mark.slow
def test_regression(tmp_path: Path) -> None:
    printed = run(tmp_path, EXAMPLES / "regression.py")
    score = float(printed.split("r2 = ")[1].split()[0])
    assert score > 0.4  # ridge regression with its defaults reaches 0.48 on the same folds

"""Models are compared, loaded back from their files, with what they predicted in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import automl
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.result import Result
from automl.learning.ensemble.bag import load_bag
from automl.learning.ensemble.check import check_models, read_check, same_predictions, write_check

ROWS = pd.DataFrame({"a": [0.1, 0.2, 0.3, 0.4] * 10, "b": range(40)})


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Three trials in one worker, the best one somewhere among them."""
    return automl.fit(
        "classification",
        (ROWS, ["p", "q"] * 20),
        metric="log_loss",
        max_trials=3,
        validation={"folds": 2, "repeats": 1},
        search={"algorithms": {"allow": ["naive_bayes", "lda"]}, "pruner": "none"},
        compute={"executor": "inline"},
        workspace=str(tmp_path_factory.mktemp("runs")),
        registry=None,
        tracking=None,
        progress=False,
    )


def test_the_winner_was_checked_by_the_worker_that_has_trained_it(result: Result) -> None:
    check = read_check(ExperimentDirectory(result.directory).trial(result.best.number).check)
    assert check is not None
    assert check.problem == ""
    assert check.predictions == tuple(result.predict(ROWS.head(5)))


def test_models_that_predict_something_else_are_found_out(result: Result) -> None:
    models = ExperimentDirectory(result.directory).trial(result.best.number).models
    told = load_bag(models).models[0].predict(ROWS.head(5))
    assert check_models(models, ROWS.head(5), told).problem == ""
    assert "something else" in check_models(models, ROWS.head(5), 1.0 - told**2).problem


def test_models_that_cannot_be_loaded_are_a_problem_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "fold_00.joblib").write_bytes(b"half")
    assert "cannot be loaded back" in check_models(tmp_path, ROWS).problem
    assert "holds no models" in check_models(tmp_path / "empty", ROWS).problem


def test_a_damaged_check_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "check.json"
    assert read_check(path) is None
    write_check(path, check_models(tmp_path, ROWS))
    assert read_check(path) is not None
    path.write_text("{")
    assert read_check(path) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (np.array(["a", "b"], dtype=object), np.array(["a", "b"]), True),
        (np.array([1, 0]), np.array([1, 1]), False),
        (np.array([0.1 + 0.2]), np.array([0.3]), True),
        (np.array([0.1]), np.array([0.2]), False),
        (np.array([1.0]), np.array([[1.0]]), False),
        (np.array([[0.500, 0.500]]), np.array([[0.502, 0.498]]), True),  # half precision
        (np.array([[0.5, 0.5]]), np.array([[0.6, 0.4]]), False),
    ],
)
def test_predictions_are_the_same_up_to_rounding(ours: np.ndarray, theirs: np.ndarray, same: bool) -> None:
    assert same_predictions(ours, theirs) is same

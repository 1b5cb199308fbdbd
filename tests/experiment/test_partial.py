"""A search that is over before a trial is whole ends with a model of the folds that were completed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import automl
from automl.engine.trial.contract import Status
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.clock import mark_used
from automl.experiment.result import Result

STUBBORN = '''
import os, time
from pathlib import Path
from sklearn.naive_bayes import GaussianNB

class Stubborn(GaussianNB):
    """While it fits its third fold somebody cancels the experiment, of which it never hears."""

    def fit(self, X, y, sample_weight=None):
        fits = Path(os.environ["STUBBORN"])
        with fits.open("a") as file:
            file.write("x")
        if len(fits.read_text()) == 3:
            (control,) = Path(os.environ["AUTOML_HOME"]).glob("*/*/control")
            (control / "cancel.json.part").write_text('{"now": true}')
            os.replace(control / "cancel.json.part", control / "cancel.json")
            time.sleep(600)
        return super().fit(X, y, sample_weight)
'''
SPACE = {
    "algorithms": {
        "stubborn": {
            "estimator": "stubborn_estimator.Stubborn",
            "params": {"var_smoothing": {"type": "float", "low": 1e-9, "high": 1e-3, "log": True}},
        }
    }
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stubborn")


@pytest.fixture
def searched(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Result]:
    """An experiment that was cancelled in the third of its four folds; it is run once."""
    (place / "stubborn_estimator.py").write_text(STUBBORN)
    monkeypatch.setenv("STUBBORN", str(place / "fits"))
    monkeypatch.setenv("AUTOML_HOME", str(place / "home"))
    monkeypatch.syspath_prepend(place)
    done = sorted((place / "home").glob("*/*/result.json"))
    options: dict[str, Any] = {
        "search": {"space": SPACE},
        "validation": {"strategy": "kfold", "folds": 4},
        "compute": {"executor": "process", "max_workers": 1},
        "tracking": None,
        "registry": None,
        "trust": True,
        "progress": False,
    }
    frame = {"source": "iris"}
    yield Result.load(done[0].parent) if done else automl.fit("classification", frame, max_trials=1, **options)
    sys.modules.pop("stubborn_estimator", None)


def test_the_folds_that_were_completed_are_the_winner(searched: Result) -> None:
    best = searched.best
    assert (best.status, best.extent) == (Status.CANCELLED, "validated on 2 of 4 folds")
    assert len(searched.model.models) == 2
    assert set(searched.predict([[5.1, 3.5, 1.4, 0.2]])) == {"setosa"}


def test_everybody_is_told_what_it_is(searched: Result) -> None:
    said = "No trial reached its end in time: this one's model is validated on 2 of 4 folds."
    assert searched.summary.winner.because == said
    assert said in repr(searched)


def test_it_has_no_rank_and_its_share_is_shown(searched: Result) -> None:
    (row,) = searched.leaderboard().to_dict("records")
    assert pd.isna(row["rank"])
    assert (row["progress"], row["score"]) == (0.5, searched.best.value)
    assert searched.front().empty


def test_a_kill_before_it_was_delivered_leaves_it_to_resume_though_no_time_is_left(
    searched: Result, tmp_path: Path
) -> None:
    copied = ExperimentDirectory(tmp_path / searched.directory.parent.name / searched.directory.name)
    shutil.copytree(searched.directory, copied.path)
    copied.result.unlink()
    mark_used(copied, 60.0)
    delivered = automl.resume(copied.path, time_budget=30.0, trust=True, progress=False)
    assert (delivered.best.number, delivered.best.extent) == (0, "validated on 2 of 4 folds")


def test_a_resumed_search_goes_on_and_its_first_whole_trial_takes_over(searched: Result) -> None:
    longer = automl.resume(searched.directory, max_trials=2, trust=True, progress=False)
    assert (longer.best.number, longer.best.is_whole) == (1, True)
    assert len(longer.model.models) == 4
    assert longer.summary.winner.because == ""
    assert not (longer.directory / "trials" / "00000" / "models").exists()

"""The final training of an experiment, from its file to its result: an estimator that trains for as long as it may."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from automl import api
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.cores import usable_cores
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.results.leaderboard import read_trials

ANYTIME = '''
import os, time
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB

class Anytime(ClassifierMixin, BaseEstimator):
    """Trains for as long as the search allots to it, or until it has had enough; n_jobs is what it was given."""

    def __init__(self, enough=1.0, n_jobs=None, shift=0.0):
        self.enough = enough
        self.n_jobs = n_jobs
        self.shift = shift

    def fit(self, X, y, sample_weight=None):
        from automl import Run
        run = Run.get_context()
        began = time.monotonic()
        state = run.checkpoint / "seconds.txt"
        found = state.exists()
        enough = 0.1 if found else self.enough
        state.write_text("begun")
        planned = min(0.9 * run.allotted_seconds_left, enough)
        while (done := time.monotonic() - began) < planned:
            time.sleep(0.01)
        run.log("trained", done)
        run.log("found", found)
        run.log("threads", self.n_jobs)
        self.classes_ = sorted(set(y))
        self.model_ = GaussianNB().fit(X, y)
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

    def predict(self, X):
        return self.model_.predict(X)
'''


def declared(place: Path, enough: float, **limits: Any) -> dict[str, Any]:
    return {
        "experiment": "flowers",
        "task": "classification",
        "data": "iris",
        "metric": "log_loss",
        "limits": limits,
        "validation": {"strategy": "holdout"},
        "search": {
            "space": {
                "algorithms": {
                    "tree": {"estimator": "sklearn.tree.DecisionTreeClassifier"},
                    "net": {
                        "estimator": "anytime_estimator.Anytime",
                        "anytime": True,
                        "fixed": {"enough": enough},
                        "params": {"shift": {"type": "float", "low": 0.0, "high": 1.0}},
                    },
                },
                "portfolio": [{"algorithm": "tree"}, {"algorithm": "net", "params": {"shift": 0.5}}],
            }
        },
        "compute": {"executor": "process"},
        "tracking": None,
        "registry": None,
        "workspace": str(place),
    }


@pytest.fixture
def estimator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It can be imported, here and in processes that the test starts."""
    (tmp_path / "anytime_estimator.py").write_text(ANYTIME)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    yield
    sys.modules.pop("anytime_estimator", None)


def written(directory: Path, number: int) -> dict[str, Any]:
    params: dict[str, Any] = json.loads((directory / "trials" / f"{number:05d}" / "params.json").read_text())
    return params


def logged(directory: Path, number: int) -> dict[str, float]:
    lines = (directory / "trials" / f"{number:05d}" / "metrics.jsonl").read_text().splitlines()
    return {entry["name"]: entry["value"] for entry in map(json.loads, lines)}


def trials(directory: Path) -> list[TrialResult]:
    return read_trials(ExperimentDirectory(directory))


@pytest.mark.usefixtures("estimator")
def test_a_budget_ends_with_the_final_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.safe_dump(declared(tmp_path / "runs", 1.0, time_budget=60.0, max_trials=2)))
    result = api.run(file, trust=True)
    tree, net = trials(result.directory)
    assert (tree.algorithm, net.algorithm) == ("tree", "net")
    assert result.best.number == 1
    assert written(result.directory, 0)["stage"]["final"] is False
    assert written(result.directory, 1)["stage"]["final"] is True
    seen = logged(result.directory, 1)
    assert seen["threads"] == usable_cores()
    assert seen["trained"] >= 1.0
    assert capsys.readouterr().out.count("final training: net") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("estimator")
def test_a_final_training_uses_the_time_that_is_left(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.safe_dump(declared(tmp_path / "runs", 1e9, time_budget=45.0)))
    result = api.run(file, trust=True, progress=False)
    _, net, *_ = trials(result.directory)
    assert net.status is Status.COMPLETED
    assert net.seconds > sum(trial.seconds for trial in trials(result.directory)) / 2


@pytest.mark.usefixtures("estimator")
def test_without_a_budget_there_are_no_stages(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    config = declared(tmp_path / "runs", 0.05, max_trials=3) | {"compute": {"executor": "inline"}}
    file.write_text(yaml.safe_dump(config))
    result = api.run(file, trust=True, progress=False)
    assert len(trials(result.directory)) == 3
    assert all(written(result.directory, number)["stage"] is None for number in range(3))


@pytest.mark.usefixtures("estimator")
def test_a_final_training_that_is_killed_is_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.safe_dump(declared(tmp_path / "runs", 1e9, time_budget=300.0, max_trials=2)))
    command = [sys.executable, "-m", "automl"]
    process = subprocess.Popen([*command, "run", str(file), "--trust"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any("final training" in line for line in process.stdout)
    (directory,) = (tmp_path / "runs").glob("flowers/*")
    checkpoint = directory / "trials" / "00001" / "checkpoint" / "seconds.txt"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
    resumed = subprocess.run([*command, "resume", str(directory), "--trust"], capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    tree, net = trials(directory)
    assert (tree.attempt, net.attempt, net.status) == (1, 2, Status.COMPLETED)
    assert written(directory, 1)["stage"]["final"] is True
    seen = logged(directory, 1)
    assert seen["threads"] == usable_cores()
    assert seen["found"] == 1.0, "it goes on from its own checkpoint"


@pytest.mark.usefixtures("estimator")
def test_a_population_has_no_final_training(tmp_path: Path) -> None:
    """What it is good for is its schedule, which a new training would not have."""
    config = declared(tmp_path / "runs", 0.05, time_budget=60.0, max_trials=4)
    config["compute"] = {"executor": "inline"}
    config["search"] |= {"sampler": {"name": "pbt", "options": {"population": 2, "generations": 2}}, "portfolio": False}
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.safe_dump(config))
    result = api.run(file, trust=True, progress=False)
    ended = trials(result.directory)
    assert sorted(trial.fidelity for trial in ended) == [0.5, 0.5, 1.0, 1.0]
    assert not any(written(result.directory, trial.number)["stage"] for trial in ended)

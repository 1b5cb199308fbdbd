"""More time or more trials for an experiment that is running, asked for by another process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import automl
from automl import api
from automl.deadline import Deadline
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import ConfigError, WorkspaceError
from automl.experiment.clock import mark_used
from automl.testing.invariants import examine
from automl.testing.kill_points import Scene

WAITING = """
import time
from pathlib import Path
from sklearn.naive_bayes import GaussianNB

class Waiting(GaussianNB):
    def fit(self, X, y, sample_weight=None):
        while not Path(__file__).with_name("go").exists():
            time.sleep(0.01)
        return super().fit(X, y, sample_weight)
"""
EXPERIMENT = """
experiment: flowers
task: classification
data: iris
metric: accuracy
limits: {max_trials: 3, time_budget: 1h}
search:
  space:
    algorithms:
      waiting:
        estimator: waiting_estimator.Waiting
        params: {var_smoothing: {type: float, low: 1.0e-9, high: 1.0e-3, log: true}}
  portfolio: false
compute: {executor: process, max_workers: 1}
registry: null
tracking: null
"""


def test_a_running_experiment_is_given_more(tmp_path: Path) -> None:
    file = tmp_path / "flowers.yaml"
    file.write_text(EXPERIMENT)
    (tmp_path / "waiting_estimator.py").write_text(WAITING)
    scene = Scene(Workspace(tmp_path / "runs"), "flowers")
    process = subprocess.Popen(
        [sys.executable, "-m", "automl", "run", str(file), "--trust", "--workspace", str(tmp_path / "runs")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The first trial waits meanwhile: the search cannot come to its end before it is extended.
    while scene.directory is None or not scene.directory.trial_numbers():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    directory = scene.directory
    assert directory is not None
    with pytest.raises(ConfigError, match="3 is not an extension: the experiment has 3 already"):
        api.extend_run(directory.path, max_trials=3)
    said = api.extend_run(directory.path, max_trials=5, time_budget="2h")
    assert said == f"flowers/{directory.id} continues with its new limits"
    (tmp_path / "go").touch()
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "max_trials: 5 trials were run" in output
    assert json.loads(directory.result.read_text())["time_budget"] == 7200
    assert len(directory.trial_numbers()) == 5
    assert examine(directory).sound
    with pytest.raises(WorkspaceError, match="is not running: 'automl resume' extends it"):
        api.extend_run(directory.path, max_trials=9)
    with pytest.raises(ConfigError, match="nothing to extend: give --time-budget or --max-trials"):
        api.extend_run(directory.path)


def test_an_experiment_without_room_keeps_its_result(tmp_path: Path) -> None:
    done = automl.fit(
        "classification",
        "iris",
        metric="accuracy",
        max_trials=2,
        time_budget="1h",
        workspace=str(tmp_path),
        search={"algorithms": {"allow": ["lda", "naive_bayes"]}, "portfolio": False},
        compute={"executor": "inline"},
        registry=None,
        tracking=None,
        progress=False,
    )
    files = [done.directory / name for name in ("result.json", "experiment.yaml", "clock.json")]
    before = [file.read_text() for file in files]
    mark_used(ExperimentDirectory(done.directory), 3599.9)
    before[-1] = files[-1].read_text()
    with pytest.raises(
        ConfigError, match=r"the budget of 3600 s is used up \(3599\.9 s; .*; give a larger --time-budget"
    ):
        automl.resume(done.directory, max_trials=6, progress=False)
    with pytest.raises(ConfigError, match=r"2 trials were run already; give a larger --max-trials"):
        automl.resume(done.directory, time_budget="2h", progress=False)
    assert [file.read_text() for file in files] == before
    longer = automl.resume(done.directory, time_budget="2h", max_trials=3, progress=False)
    assert longer.stopped_because == "max_trials: 3 trials were run"


def test_a_budget_too_far_spent_to_pick_anew_is_refused(tmp_path: Path) -> None:
    done = automl.fit(
        "classification",
        "iris",
        metric="accuracy",
        max_trials=2,
        time_budget="1h",
        workspace=str(tmp_path),
        search={"algorithms": {"allow": ["lda", "naive_bayes"]}, "portfolio": False},
        compute={"executor": "inline"},
        registry=None,
        tracking=None,
        progress=False,
    )
    file = done.directory / "experiment.yaml"
    file.write_text(file.read_text().replace("pick: best", "pick: one_standard_error"))
    mark_used(ExperimentDirectory(done.directory), 3599.9)
    said = (
        r"picking the winner again takes about .* s, and of the budget of 3600 s 0\.1 s are left; give --time-budget 36"
    )
    with pytest.raises(ConfigError, match=said):
        automl.resume(done.directory, progress=False)
    again = automl.resume(done.directory, time_budget="2h", progress=False)
    assert json.loads((done.directory / "data" / "objectives.json").read_text())["pick"] == "one_standard_error"
    assert len(again.leaderboard()) == 2


def test_whoever_holds_a_deadline_notices_that_it_is_extended() -> None:
    deadline = Deadline.after(1.0, used=1.0)
    assert deadline.passed()
    deadline.extend(60.0)
    assert 58 < deadline.remaining() <= 59

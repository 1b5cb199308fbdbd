"""A process that is ended while it is stuck delivers what a running trial has completed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sklearn.datasets import load_iris

import automl
from automl.engine.workspace.layout import Workspace

SLOW = """
import time
from pathlib import Path
from sklearn.naive_bayes import GaussianNB

class Slow(GaussianNB):
    def fit(self, X, y, sample_weight=None):
        fits = Path(__file__).with_name("fits")
        with fits.open("a") as file:
            file.write("x")
        if len(fits.read_text()) > 2:
            time.sleep(600)
        return super().fit(X, y, sample_weight)
"""
EXPERIMENT = """
experiment: slow
task: classification
data: iris
limits: {time_budget: 30s}
search: {space: space.yaml, portfolio: false, pruner: none}
validation: {strategy: kfold, folds: 4}
compute: {executor: process, max_workers: 1}
tracking: null
"""
SPACE = """
algorithms:
  slow: {estimator: slow_estimator.Slow, params: {var_smoothing: {type: float, low: 1.0e-9, high: 1.0e-3, log: true}}}
"""
PROGRAM = """
import signal, time
from automl import api

if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(600))
    said = lambda result: print(result.best.extent)
    api.run("slow.yaml", workspace="runs", trust=True, progress=False, last_words=said)
"""
RESUMING = """
import sys
from automl import api

if __name__ == "__main__":
    api.resume(sys.argv[1], trust=True, progress=False, last_words=lambda result: None)
"""
LONG = 120.0
STUCK = """
import time
from sklearn.naive_bayes import GaussianNB

SECONDS = 600

class Stuck(GaussianNB):
    def predict_proba(self, X):
        if len(X) == 45:
            time.sleep(SECONDS)
        return super().predict_proba(X)
"""
TESTED = """
experiment: stuck
task: classification
data: {source: train.csv, target: target, test: test.csv}
limits: {time_budget: 20s, max_trials: 1}
search: {space: space.yaml, portfolio: false}
compute: {executor: inline}
tracking: null
"""


def test_the_folds_of_a_running_trial_are_delivered_and_registered(tmp_path: Path) -> None:
    files = {"slow_estimator.py": SLOW, "slow.yaml": EXPERIMENT, "space.yaml": SPACE, "program.py": PROGRAM}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "program.py"], cwd=tmp_path, text=True, stdout=pipe, stderr=pipe)
    try:
        ends = time.monotonic() + LONG
        while process.poll() is None and time.monotonic() < ends:
            if any('"folds": 2' in note.read_text() for note in tmp_path.glob("runs/slow/*/trials/*/completed.json")):
                os.kill(process.pid, signal.SIGUSR1)
                break
            time.sleep(0.05)
        output, errors = process.communicate(timeout=LONG)
    finally:
        process.kill()
    assert (process.returncode, output) == (0, "validated on 2 of 4 folds\n"), errors
    (experiment,) = Workspace(tmp_path / "runs").experiments()
    assert experiment.result.exists()
    assert len(automl.load_model("slow@champion", workspace=tmp_path / "runs").models) == 2


def write_tested(place: Path, *, seconds: float) -> None:
    """An experiment with test rows that take so many seconds to be predicted."""
    space = SPACE.replace("slow_estimator.Slow", "stuck_estimator.Stuck")
    estimator = STUCK.replace("600", str(seconds))
    for name, text in {"stuck_estimator.py": estimator, "slow.yaml": TESTED, "space.yaml": space}.items():
        (place / name).write_text(text)
    rows = load_iris(as_frame=True).frame.sample(frac=1, random_state=0)
    rows[:105].to_csv(place / "train.csv", index=False)
    rows[105:].to_csv(place / "test.csv", index=False)


def result_of(place: Path, program: str, *arguments: str) -> automl.Result:
    """What an experiment's own process has left."""
    (place / "program.py").write_text(program)
    command = [sys.executable, "program.py", *arguments]
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=LONG, check=False)
    assert ended.returncode == 0, ended.stderr
    return automl.Result.load(next(place.glob("runs/stuck/*")))


def test_a_model_that_was_registered_is_delivered_while_its_test_is_stuck(tmp_path: Path) -> None:
    write_tested(tmp_path, seconds=600)
    result = result_of(tmp_path, PROGRAM)
    assert result.registered_model is not None and result.registered_model.version == "1"
    assert result.test_metrics == {}
    assert result.budget.kept


def test_a_session_that_begins_after_its_time_scores_the_test_rows_to_the_end(tmp_path: Path) -> None:
    write_tested(tmp_path, seconds=600)
    place = result_of(tmp_path, PROGRAM).directory
    (place / "result.json").unlink()  # as a kill would have left it that came a little earlier
    (place / "clock.json").write_text('{"elapsed": 1000.0}')
    write_tested(tmp_path, seconds=2)
    assert "accuracy" in result_of(tmp_path, RESUMING, str(place)).test_metrics

"""More time or more trials for an experiment that is running, asked for by another process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl import api
from automl.deadline import Deadline
from automl.errors import ConfigError, WorkspaceError
from automl.testing.invariants import examine
from automl.testing.moments import Scene
from automl.workspace.layout import Workspace

EXPERIMENT = """
experiment: flowers
task: classification
data: iris
metric: accuracy
limits: {max_trials: 30, time_budget: 1h}
search: {algorithms: {allow: [lda, naive_bayes]}, portfolio: false}
compute: {executor: process, max_workers: 1}
registry: null
tracking: null
"""


def test_a_running_experiment_is_given_more(tmp_path: Path) -> None:
    file = tmp_path / "flowers.yaml"
    file.write_text(EXPERIMENT)
    scene = Scene(Workspace(tmp_path / "runs"), "flowers")
    process = subprocess.Popen(
        [sys.executable, "-m", "automl", "run", str(file), "--workspace", str(tmp_path / "runs")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not scene.finished:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    directory = scene.directory
    assert directory is not None
    with pytest.raises(ConfigError, match="30 is no extension: the experiment has 30 already"):
        api.extend_run(directory.path, max_trials=30)
    said = api.extend_run(directory.path, max_trials=33, time_budget="2h")
    assert said == f"flowers/{directory.id} goes on with its new limits"
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "max_trials: 33 trials were run" in output
    assert json.loads(directory.result.read_text())["time_budget"] == 7200
    assert len(directory.trial_numbers()) == 33
    assert examine(directory).sound
    with pytest.raises(WorkspaceError, match="is not running: 'automl resume' extends it"):
        api.extend_run(directory.path, max_trials=40)


def test_whoever_holds_a_deadline_notices_that_it_is_extended() -> None:
    deadline = Deadline.after(1.0, used=1.0)
    assert deadline.passed()
    deadline.extend(60.0)
    assert 58 < deadline.remaining() <= 59

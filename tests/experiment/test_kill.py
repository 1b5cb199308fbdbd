"""Kills and Ctrl-C, from outside, with real signals."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import automl
from automl import api
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.pruners.registry import make_pruner
from automl.engine.study.history import History
from automl.engine.trial.contract import Status
from automl.engine.trial.objective import Objective
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError
from automl.experiment.results.leaderboard import read_trials

EXPERIMENT = """
experiment: flowers
task: classification
data: iris
metric: accuracy
limits: {{max_trials: {trials}}}
search:
  algorithms: {{allow: [logistic_regression, lda, naive_bayes, decision_tree]}}
  pruner: none
  portfolio: false
compute: {{executor: process, max_workers: {workers}}}
registry: null
tracking: null
"""


class Command:
    """``automl`` in a process of its own, in a workspace of its own."""

    def __init__(self, place: Path, trials: int, workers: int = 1) -> None:
        self.place, self.file = place, place / "flowers.yaml"
        self.file.write_text(EXPERIMENT.format(trials=trials, workers=workers))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "automl", *arguments, "--workspace", str(self.place)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> subprocess.Popen[str]:
        return self.start("run", str(self.file))

    def resume(self) -> subprocess.Popen[str]:
        return self.start("resume", str(self.directory.path))

    @property
    def directory(self) -> ExperimentDirectory:
        (config,) = self.place.glob("flowers/*/experiment.yaml")
        return ExperimentDirectory(config.parent)

    def finished(self) -> int:
        return len(list(self.place.glob("flowers/*/trials/*/trial.json")))


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 90) -> None:
    """Wait until `condition` holds, or the process ends, which the caller then sees."""
    ends = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None:
            return
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)


@pytest.mark.parametrize("kills", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_a_search_that_is_killed_again_and_again_comes_to_the_same_end(tmp_path: Path, kills: int) -> None:
    draw = random.Random(7)
    trials = 4 * kills + 4  # at most three before each kill, and what ends meanwhile
    command = Command(tmp_path, trials, workers=2)
    process = command.run()
    for kill in range(kills):
        target = command.finished() + draw.randint(1, 3)
        wait_for(lambda target=target: command.finished() >= target, process)  # type: ignore[misc]
        assert process.poll() is None, f"ended before kill {kill}: {process.communicate()}"
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert not alive, "workers outlive a driver that was killed"
        process = command.resume()
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors

    results = read_trials(command.directory)
    assert [result.number for result in results] == list(range(trials))
    assert {result.status for result in results} == {Status.COMPLETED}
    history = History(
        command.directory.journal, objective=Objective("score"), pruner=make_pruner(ComponentOptions(name="none"))
    )
    assert [record.value for record in history.records()] == [result.value for result in results]
    history.close()
    assert f"max_trials: {trials} trials were run" in output


def test_one_ctrl_c_finishes_what_runs_and_delivers_the_best(tmp_path: Path) -> None:
    command = Command(tmp_path, trials=100_000)
    process = command.run()
    wait_for(lambda: command.finished() >= 2, process)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "cancelled by the user" in output
    assert {result.status for result in read_trials(command.directory)} <= {Status.COMPLETED, Status.FAILED}
    assert json.loads(command.directory.result.read_text())["winner"] is not None


def test_a_request_from_another_process_ends_the_search(tmp_path: Path) -> None:
    command = Command(tmp_path, trials=100_000)
    process = command.run()
    wait_for(lambda: command.finished() >= 1, process)
    said = api.cancel_run(command.directory.id, now=True, workspace=tmp_path)
    assert "was asked to stop now" in said
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "cancelled by the user" in output


def test_two_drivers_never_run_the_same_experiment(tmp_path: Path) -> None:
    command = Command(tmp_path, trials=100_000)
    process = command.run()
    wait_for(lambda: command.finished() >= 1, process)
    with pytest.raises(WorkspaceError, match="Another process is running"):
        automl.resume(command.directory.path, progress=False)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode == 0


def test_two_ctrl_c_stop_at_once(tmp_path: Path) -> None:
    command = Command(tmp_path, trials=100_000)
    process = command.run()
    wait_for(lambda: command.finished() >= 2, process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    # The second is sent once the first was counted: two signals that arrive together are one.
    assert any("running trials finish" in line for line in iter(process.stderr.readline, ""))
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "cancelled by the user" in output

"""A problem that knows no data goes the whole way of an experiment: searched, killed, resumed, shown, replayed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from automl import api
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import ConfigError, RegistryError
from automl.experiment.result import Result
from automl.experiment.results.leaderboard import read_trials
from automl.tracking.owed import is_owed

PLUGIN = '''
import time
from automl.engine.trial.objective import Objective
from automl.testing.function_problem import FunctionProblem


class Parabola(FunctionProblem):
    """Each quarter of its work takes a while, as that of a real trial does."""

    metric = Objective("loss", maximize=False)

    @staticmethod
    def function(params, share):
        time.sleep(params["pause"])
        return params["x"] ** 2 + (1 - share)
'''
EXPERIMENT = """
experiment: toy
task: parabola
search:
  space: {x: {type: float, low: -1.0, high: 1.0}, pause: {type: categorical, choices: [0.02]}}
  pruner: {name: asha, options: {reduction_factor: 2}}
limits: {max_trials: 16}
compute: {executor: process, max_workers: 2}
"""
LONG = 120.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an experiment file, and a plugin as an installer would have left it, for this process too."""
    place = tmp_path_factory.mktemp("toy")
    information = place / "site" / "toy-1.0.dist-info"
    information.mkdir(parents=True)
    (place / "site" / "toy_problem.py").write_text(PLUGIN)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[automl.problems]\nparabola = toy_problem:Parabola\n")
    (place / "toy.yaml").write_text(EXPERIMENT)
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(place / "site")
        yield place


def command(place: Path, *arguments: str) -> subprocess.Popen[str]:
    paths = [str(place / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    called = [sys.executable, "-m", "automl", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(called, cwd=place, env=environment, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture(scope="module")
def ended(place: Path) -> ExperimentDirectory:
    """The experiment, whose driver was killed while it ran and which was resumed to its end."""
    process = command(place, "run", "toy.yaml", "--workspace", "runs", "--quiet")
    ends = time.monotonic() + LONG
    while len(list(place.glob("runs/toy/*/trials/*/trial.json"))) < 3:
        assert process.poll() is None and time.monotonic() < ends, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (experiment,) = Workspace(place / "runs").experiments()
    assert not experiment.result.exists()
    resumed = command(place, "resume", str(experiment.path), "--quiet")
    _, errors = resumed.communicate(timeout=LONG)
    assert resumed.returncode == 0, errors
    return experiment


def test_the_whole_search_is_there_after_a_kill_and_a_resume(ended: ExperimentDirectory) -> None:
    results = read_trials(ended)
    assert [result.number for result in results] == list(range(16))
    assert {result.status.value for result in results} <= {"COMPLETED", "PRUNED"}
    assert any(result.progress == 0.25 for result in results), "steps are parts of the work"


def test_the_winner_is_the_best_and_can_be_used(ended: ExperimentDirectory) -> None:
    result = Result.load(ended)
    whole = [trial for trial in read_trials(ended) if trial.is_whole and trial.value is not None]
    assert result.best.value == min(trial.value for trial in whole if trial.value is not None)
    board = result.leaderboard()
    assert board["trial"].iloc[0] == result.best.number
    assert result.registered_model is None
    assert result.summary.not_registered == "the task parabola makes no model"
    with pytest.raises(RegistryError, match="has left no model"):
        result.register()
    assert result.model.keys() == {"x", "pause"}


def test_it_is_shown_as_any_experiment(place: Path, ended: ExperimentDirectory) -> None:
    (row,) = api.list_runs(ended.workspace.root)
    assert (row["status"], row["metric"], row["trials"]) == ("finished", "loss", 16)
    shown = api.show_run(str(ended.path))
    assert shown["winner"]["title"] == f"trial {Result.load(ended).best.number}"
    assert api.plan(place / "toy.yaml")["metric"] == {"name": "loss", "goal": "minimize"}


def test_its_winner_is_replayed_to_the_last_bit(ended: ExperimentDirectory) -> None:
    assert api.replay(str(ended.path)).identical


def test_its_runs_are_in_mlflow(ended: ExperimentDirectory) -> None:
    assert not is_owed(ended)
    client = mlflow.MlflowClient(f"sqlite:///{ended.workspace.root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("toy")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    trials = [run for run in runs if run.data.tags.get("automl.kind") == "trial"]
    assert len(trials) == 16
    assert all("loss" in run.data.metrics for run in trials)


def test_what_it_does_not_read_is_refused(place: Path) -> None:
    (place / "wrong.yaml").write_text(EXPERIMENT + "validation: {folds: 3}\n")
    with pytest.raises(ConfigError, match=r"wrong.yaml:9: validation: the task parabola has no use for it"):
        api.validate(place / "wrong.yaml")

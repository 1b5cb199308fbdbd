"""The clock of an experiment: what a kill loses of it, what a damaged one means, and who ends what outlasts it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import automl
from automl.deadline import Deadline
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.records import write_result
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import ConfigError, TimeBudgetError, WorkspaceError
from automl.experiment.clock import kept_clock, mark_used, seconds_used
from automl.experiment.results.leaderboard import read_trials
from automl.experiment.results.summary import Summary
from tests.experiment.test_kill import wait_for

LONG = 90.0
"""Seconds after which a test gives up: only what hangs takes as long."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> ExperimentDirectory:
    return Workspace(tmp_path_factory.mktemp("clock")).create_experiment("clock")


# What clock.json says

ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
SHAPES = ATOMS | st.lists(ATOMS, max_size=2) | st.dictionaries(st.sampled_from(["elapsed", "used", ""]), ATOMS)


@given(SHAPES)
def test_a_clock_says_a_number_of_seconds_or_is_refused_in_one_sentence(
    empty: ExperimentDirectory, content: Any
) -> None:
    empty.clock.write_text(json.dumps(content))
    said = content.get("elapsed") if isinstance(content, dict) else None
    if isinstance(said, int | float) and not isinstance(said, bool) and 0 <= said <= 3e8:
        assert seconds_used(empty) == said
    else:
        with pytest.raises(WorkspaceError, match=r"clock\.json does not say how much time was used"):
            seconds_used(empty)


@given(st.binary(max_size=12) | st.just(b"[" * 100_000) | st.just(b'{"elapsed": ' + b"9" * 6_000 + b"}"))
def test_bytes_that_are_no_clock_are_refused(empty: ExperimentDirectory, content: bytes) -> None:
    empty.clock.write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"clock\.json"):
        seconds_used(empty)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing", "link to itself"])
def test_something_else_in_the_place_of_the_clock_is_refused(tmp_path: Path, kind: str) -> None:
    experiment = Workspace(tmp_path).create_experiment("odd")
    {
        "folder": experiment.clock.mkdir,
        "pipe": lambda: os.mkfifo(experiment.clock),
        "link to nothing": lambda: experiment.clock.symlink_to(tmp_path / "nothing"),
        "link to itself": lambda: experiment.clock.symlink_to(experiment.clock),
    }[kind]()
    with pytest.raises(WorkspaceError, match=r"clock\.json"):
        seconds_used(experiment)


def test_without_a_clock_the_records_prove_how_much_was_used(tmp_path: Path) -> None:
    experiment = Workspace(tmp_path).create_experiment("gone")
    assert seconds_used(experiment) == 0
    for number, elapsed in enumerate([4.0, 9.5]):
        experiment.trial(number).path.mkdir()
        result = TrialResult(number=number, algorithm="lda", status=Status.COMPLETED, value=1.0, elapsed=elapsed)
        write_result(experiment.trial(number), result)
    assert seconds_used(experiment) == 9.5


def test_the_clock_goes_on_whatever_its_thread_does(tmp_path: Path) -> None:
    experiment = Workspace(tmp_path).create_experiment("kept")
    deadline = Deadline.after(None, used=100.0)
    with kept_clock(experiment, deadline):
        assert seconds_used(experiment) >= 100
        while seconds_used(experiment) < 101:  # nothing here marks it
            pass
    assert deadline.spent() - seconds_used(experiment) < 1


# Kills after the search, and a watchdog for what does not come to its end

STUCK = """
import os, time
from sklearn.naive_bayes import GaussianNB

class Stuck(GaussianNB):
    def _joint_log_likelihood(self, X):
        if "AUTOML_WORKER" not in os.environ:  # the driver, which scores the test rows
            time.sleep(600)
        return super()._joint_log_likelihood(X)
"""
SPACE = """
algorithms:
  stuck: {estimator: stuck.Stuck, params: {var_smoothing: {type: float, low: 1.0e-9, high: 1.0e-3, log: true}}}
"""
EXPERIMENT = """
experiment: stuck
task: classification
data: {source: rows.csv, target: y, test: rows.csv}
metric: accuracy
search: {space: space.yaml, portfolio: false, pruner: none}
validation: {folds: 3, repeats: 1}
compute: {executor: process, max_workers: 1}
registry: null
tracking: null
"""


def write_stuck(place: Path) -> Path:
    rows = "\n".join(f"{n % 7},{n % 5},{'ab'[n % 2]}" for n in range(60))
    (place / "rows.csv").write_text(f"u,v,y\n{rows}\n")
    (place / "stuck.py").write_text(STUCK)
    (place / "space.yaml").write_text(SPACE)
    (place / "stuck.yaml").write_text(EXPERIMENT)
    return place


def automl_in(place: Path, *command: str) -> subprocess.Popen[str]:
    whole = [sys.executable, "-m", "automl", *command, "--trust"]
    return subprocess.Popen(whole, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> ExperimentDirectory:
    """An experiment whose driver was killed 2.5 s after its only trial had ended: it was scoring the test rows."""
    place = write_stuck(tmp_path_factory.mktemp("killed"))
    process = automl_in(place, "run", "stuck.yaml", "--workspace", "runs", "--max-trials", "1")

    def is_late() -> bool:
        for config in place.glob("runs/stuck/*/experiment.yaml"):
            directory = ExperimentDirectory(config.parent)
            return any(seconds_used(directory) > trial.elapsed + 2.5 for trial in read_trials(directory))
        return False

    wait_for(is_late, process, LONG)
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    (config,) = place.glob("runs/stuck/*/experiment.yaml")
    return ExperimentDirectory(config.parent)


def test_time_after_the_search_counts_when_the_driver_is_killed(killed: ExperimentDirectory) -> None:
    assert not killed.result.exists()
    assert seconds_used(killed) > read_trials(killed)[0].elapsed + 2.5


def test_what_does_not_come_to_its_end_ends_with_the_best_so_far(killed: ExperimentDirectory, tmp_path: Path) -> None:
    copy = ExperimentDirectory(shutil.copytree(killed.path, tmp_path / "runs" / "stuck" / killed.id))
    budget = f"{seconds_used(copy) + 12:.0f}s"  # time to come to the test rows again, where it is stuck
    process = automl_in(killed.workspace.root.parent, "resume", str(copy.path), "--time-budget", budget)
    output, errors = process.communicate(timeout=LONG)
    assert (process.returncode, "Traceback" in errors) == (0, False), errors
    summary = Summary.read(copy)
    assert summary is not None and summary.winner is not None
    assert f"{summary.winner.title}, accuracy = " in output


def test_a_start_that_does_not_come_to_its_end_says_what_it_took(tmp_path: Path) -> None:
    place = write_stuck(tmp_path)
    (place / "stuck.py").write_text("import time\ntime.sleep(600)\n")
    process = automl_in(place, "run", "stuck.yaml", "--workspace", "runs", "--time-budget", "3s")
    driver = psutil.Process(process.pid)
    seen: set[psutil.Process] = set()
    while process.poll() is None:
        try:
            seen.update(driver.children(recursive=True))
            process.wait(0.05)
        except (psutil.Error, subprocess.TimeoutExpired):
            continue
    _, errors = process.communicate()
    assert process.returncode == 2
    assert errors.startswith("automl: Start-up alone took ") and errors.count("\n") == 1
    assert "--time-budget" in errors
    _, alive = psutil.wait_procs(seen, timeout=20)
    assert not alive


def test_a_call_whose_time_is_over_before_a_trial_could_begin_says_so() -> None:
    with pytest.raises(TimeBudgetError, match="write a larger --time-budget"):
        automl.fit("classification", "iris", time_budget=0.01, progress=False, registry=None, tracking=None)


def test_a_spent_budget_without_a_model_is_refused_before_the_data_is_read(tmp_path: Path) -> None:
    experiment = Workspace(tmp_path).create_experiment("spent")
    experiment.config.write_text(
        textwrap.dedent("""
            task: classification
            data: {source: gone.csv, target: y}
            limits: {time_budget: 60}
            """)
    )
    mark_used(experiment, 60.2)
    with pytest.raises(ConfigError, match=r"60 s is used up \(60\.2 s\), and no trial has completed.*--time-budget"):
        automl.resume(experiment.path, progress=False)

"""Several processes on one workspace, and on one experiment, at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from automl.engine.workspace.layout import Workspace
from automl.registry.list import show_model
from automl.registry.load import load_model
from automl.testing.invariants import examine

EXPERIMENT = """
experiment: flowers
task: classification
data: iris
metric: accuracy
seed: {seed}
limits: {{max_trials: 2}}
validation: {{folds: 2, repeats: 1}}
search: {{algorithms: {{allow: [lda, naive_bayes]}}, portfolio: false}}
compute: {{executor: inline}}
registry: {{name: shared}}
"""


def start(place: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "automl", *arguments, "--workspace", str(place / "workspace")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_experiments_and_then_two_sessions_of_one_at_the_same_time(tmp_path: Path) -> None:
    """Both begin in the same second, make the store together, and register a model of the same name."""
    processes = []
    for seed in (1, 2):
        file = tmp_path / f"{seed}.yaml"
        file.write_text(EXPERIMENT.format(seed=seed))
        processes.append(start(tmp_path, "run", str(file)))
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    workspace = Workspace(tmp_path / "workspace")
    both = list(workspace.experiments())
    assert len(both) == 2
    assert [examine(directory).problems for directory in both] == [(), ()]
    assert sorted(row["version"] for row in show_model("shared", workspace)) == ["1", "2"]
    assert sum("champion" in row["aliases"] for row in show_model("shared", workspace)) == 1
    for version in (1, 2):
        assert len(load_model(f"shared/{version}", workspace).predict([[5.1, 3.5, 1.4, 0.2]])) == 1

    # Two that extend the same experiment, each its own way: one of them does, and the other says why it does not.
    # MLflow has been shared already.
    config = yaml.safe_load(both[0].config.read_text())
    both[0].config.write_text(yaml.safe_dump(config | {"tracking": None, "registry": None}))
    extending = [start(tmp_path, "resume", both[0].id, "--max-trials", str(trials)) for trials in (4, 5)]
    ended = [(process.communicate(timeout=300), process.returncode) for process in extending]
    refused = [errors for (_, errors), code in ended if code != 0]
    assert len(refused) <= 1  # the slower one may have begun when the other had ended
    assert all("Another process is running" in errors for errors in refused)
    assert len(both[0].trial_numbers()) in (4, 5)
    assert examine(both[0]).sound

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.records import write_result
from automl.engine.workspace.atomic import write_json
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.tracking.store import resolve_uri

CONFIG = """
format_version: 1
experiment: flowers
task: classification
metric: accuracy
limits: {max_trials: 5, time_budget: 60}
tracking: {uri: "http://me:secret@host:5000"}
"""

Finish = Callable[..., ExperimentDirectory]


@pytest.fixture
def home(workspace: Path) -> Workspace:
    return Workspace(workspace)


@pytest.fixture
def uri(home: Workspace) -> str:
    return resolve_uri(None, home)


@pytest.fixture
def experiment(home: Workspace) -> ExperimentDirectory:
    made = home.create_experiment("flowers")
    made.config.write_text(CONFIG)
    return made


@pytest.fixture
def end_trial(experiment: ExperimentDirectory) -> Finish:
    """Leave behind what a trial with this number leaves behind."""

    def end(number: int, status: Status = Status.COMPLETED, **fields: Any) -> ExperimentDirectory:
        place = experiment.trial(number)
        place.outputs.mkdir(parents=True)
        (place.outputs / "confusion_matrix.json").write_text("[[1, 0], [0, 1]]")
        (place.outputs / "large.bin").write_bytes(bytes(2**20 + 1))
        write_json(
            place.params, {"number": number, "algorithm": "knn", "params": {"n_neighbors": 5, "metric": {"p": 2}}}
        )
        entries = [{"name": "accuracy", "value": 0.5 + step / 1000, "step": step, "time": 1e9} for step in (100, 200)]
        place.metrics.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + '{"name": "torn')
        given = {
            "number": number,
            "algorithm": "knn",
            "status": status,
            "value": 0.9,
            "metrics": {"accuracy": 0.9, "log_loss": 0.3},
            "seconds": 2.0,
            "started_at": "2026-01-01T00:00:00+00:00",
        }
        write_result(place, TrialResult(**{**given, **fields}))
        return experiment

    return end


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until something holds; a minute is far more than it takes on any machine."""

    def wait(holds: Callable[[], bool]) -> None:
        ends = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < ends, "it never happened"
            time.sleep(0.01)

    return wait

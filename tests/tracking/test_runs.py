from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from automl.engine.trial.contract import Failure, Status
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError
from automl.tracking.catch_up import rebuild
from automl.tracking.ending import Ending, write_ending
from automl.tracking.runs import ExperimentRuns
from automl.tracking.store import open_client
from automl.tracking.turn import sole_mirror


def all_runs(uri: str) -> dict[str, Any]:
    client = open_client(uri)
    experiment = client.get_experiment_by_name("flowers")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    named = {run.data.tags.get("automl.trial", "experiment"): run for run in found}
    assert len(named) == len(found), "a run was written twice"
    return named


def test_an_experiment_becomes_a_parent_with_a_child_for_every_trial(
    end_trial: Callable[..., ExperimentDirectory], uri: str
) -> None:
    end_trial(0)
    end_trial(1, Status.PRUNED, metrics={})
    failure = Failure(kind="ValueError", message="no")
    experiment = end_trial(2, Status.FAILED, value=None, metrics={}, failure=failure)
    experiment.trial(3).path.mkdir()  # submitted, and lost with the driver
    write_ending(experiment, Ending(winner="trials/00000", tags={"automl.winner": "trial 0"}))

    assert rebuild(experiment, uri) == 3

    runs = all_runs(uri)
    parent = runs.pop("experiment")
    assert parent.info.status == "FINISHED"
    assert parent.data.params["limits.max_trials"] == "5"
    assert parent.data.params["tracking.uri"] == "http://***@host:5000"
    assert parent.data.tags["automl.winner"] == "trial 0"
    assert parent.data.metrics["accuracy"] == 0.9
    assert {n: run.info.status for n, run in runs.items()} == {"0": "FINISHED", "1": "KILLED", "2": "FAILED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert runs["0"].data.params == {"n_neighbors": "5", "metric.p": "2"}
    assert runs["0"].data.metrics["accuracy"] == 0.9
    assert runs["1"].data.metrics["accuracy"] == 0.9  # value, where metrics lacks it
    assert "accuracy" not in runs["2"].data.metrics or runs["2"].data.metrics["accuracy"] == 0.7  # what it reached
    assert runs["2"].data.tags["automl.failure"] == "ValueError: no"
    assert runs["0"].info.end_time - runs["0"].info.start_time == 2000
    client = open_client(uri)
    series = client.get_metric_history(runs["0"].info.run_id, "accuracy")
    assert [(m.step, m.value) for m in series] == [(100, 0.6), (200, 0.7), (200, 0.9)]
    assert [f.path for f in client.list_artifacts(runs["0"].info.run_id, "outputs")] == [
        "outputs/confusion_matrix.json"
    ]
    assert "experiment.yaml" in {f.path for f in client.list_artifacts(parent.info.run_id)}


def test_a_trial_that_went_on_from_another_says_from_which(
    end_trial: Callable[..., ExperimentDirectory], uri: str
) -> None:
    end_trial(0, fidelity=0.25)
    rebuild(end_trial(1, parent=0), uri)
    runs = all_runs(uri)
    assert runs["0"].data.tags["automl.fidelity"] == "0.25"
    assert runs["1"].data.tags["automl.parent"] == "0"
    assert "automl.parent" not in runs["0"].data.tags
    assert "automl.fidelity" not in runs["1"].data.tags


def test_mirroring_again_adds_nothing(end_trial: Callable[..., ExperimentDirectory], uri: str) -> None:
    experiment = end_trial(0)
    assert rebuild(experiment, uri) == 1
    end_trial(1)
    assert ExperimentRuns(experiment, uri).missing() == [1]
    assert rebuild(experiment, uri) == 2
    runs = all_runs(uri)
    assert len(runs) == 3
    assert len(open_client(uri).get_metric_history(runs["0"].info.run_id, "accuracy")) == 3


def test_a_trial_that_was_cut_off_is_completed(end_trial: Callable[..., ExperimentDirectory], uri: str) -> None:
    experiment = end_trial(0)
    client = open_client(uri)
    runs = ExperimentRuns(experiment, uri)
    runs._create_child(0, _record(experiment))  # killed after the first of three writes

    again = ExperimentRuns(experiment, uri)
    assert again.mirrored == 0
    assert again.mirror(0)
    written = all_runs(uri)["0"]
    assert written.info.status == "FINISHED"
    assert len(client.get_metric_history(written.info.run_id, "accuracy")) == 3


def test_two_mirrors_of_one_experiment_are_refused(experiment: ExperimentDirectory, uri: str) -> None:
    with sole_mirror(experiment, patience=0.0), pytest.raises(WorkspaceError, match="Another process is mirroring"):
        rebuild(experiment, uri)


def _record(experiment: ExperimentDirectory) -> Any:
    from automl.tracking.records import read_trial

    record = read_trial(experiment.trial(0), "accuracy")
    assert record is not None
    return record


def test_a_run_written_at_once_is_what_mlflows_client_writes(
    end_trial: Callable[..., ExperimentDirectory], uri: str
) -> None:
    failure = Failure(kind="ValueError", message="no")
    series = {"accuracy": 0.75, "odd": float("nan"), "large": float("inf")}
    end_trial(0, Status.FAILED, metrics=series, failure=failure)
    runs = ExperimentRuns(end_trial(1, Status.FAILED, metrics=series, failure=failure), uri)
    assert runs.mirror(0)
    assert runs._rows is not None
    runs._rows = None  # as where the store is a server
    assert runs.mirror(1)

    at_once, by_client = (all_runs(uri)[number] for number in "01")
    own = {"run_id", "artifact_uri", "run_name"}
    assert {k: v for k, v in dict(at_once.info).items() if k not in own} == {
        k: v for k, v in dict(by_client.info).items() if k not in own
    }
    assert at_once.info.artifact_uri == by_client.info.artifact_uri.replace(by_client.info.run_id, at_once.info.run_id)
    assert at_once.data.params == by_client.data.params
    assert repr(at_once.data.metrics) == repr(by_client.data.metrics)  # not a number is unlike itself
    names = {"automl.trial", "mlflow.runName"}
    assert {k: v for k, v in at_once.data.tags.items() if k not in names} == {
        k: v for k, v in by_client.data.tags.items() if k not in names
    }
    client = open_client(uri)
    first, second = (client.get_metric_history(run.info.run_id, "accuracy") for run in (at_once, by_client))
    assert [(m.step, m.timestamp, m.value) for m in first] == [(m.step, m.timestamp, m.value) for m in second]

"""What can go, goes; what somebody may need, stays."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import automl
from automl import api
from automl.engine.workspace.layout import ExperimentDirectory
from automl.engine.workspace.lock import locked
from automl.errors import WorkspaceError
from automl.experiment.result import Result


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a finished experiment of five trials, in a workspace of its own."""
    result = automl.fit(
        "classification",
        "iris",
        metric="log_loss",
        max_trials=5,
        name="flowers",
        workspace=str(tmp_path_factory.mktemp("gc")),
        search={"algorithms": {"allow": ["logistic_regression", "lda"]}, "portfolio": False, "pruner": None},
        compute={"executor": "inline"},
        tracking=None,
        registry=None,
        progress=False,
    )
    return result.directory


@pytest.fixture
def experiment(original: Path, workspace: Path) -> ExperimentDirectory:
    """A copy of it in the test's workspace."""
    place = workspace / "flowers" / original.name
    shutil.copytree(original, place)
    return ExperimentDirectory(place)


def ranked(experiment: ExperimentDirectory) -> list[int]:
    return [int(number) for number in Result.load(experiment).leaderboard()["trial"]]


def with_models(experiment: ExperimentDirectory) -> set[int]:
    return {n for n in experiment.trial_numbers() if list(experiment.trial(n).models.glob("fold_*.joblib"))}


def everything(place: Path) -> dict[str, int]:
    return {str(path.relative_to(place)): path.lstat().st_size for path in place.rglob("*") if path.name != ".lock"}


def kinds(found: dict[str, Any]) -> set[tuple[str, int | None]]:
    return {(item["kind"], item["trial"]) for item in found["items"]}


def litter(experiment: ExperimentDirectory) -> list[Path]:
    """What kills leave: two temporary files, a spool, a cache."""
    files = [
        experiment.path / ".result.json.123.tmp",
        experiment.trial(1).path / ".trial.json.123.tmp",
        experiment.trials / ".stdout-ab12",
        experiment.cache / "fold_0" / "train.npy",
    ]
    experiment.cache.joinpath("fold_0").mkdir(parents=True)
    for file in files:
        file.write_bytes(b"12345")
        os.utime(file, (time.time() - 7200,) * 2)
    return files


def test_a_dry_run_changes_nothing_and_tells_the_truth(experiment: ExperimentDirectory) -> None:
    litter(experiment)
    before = everything(experiment.path)
    planned = api.gc(keep=2)
    assert everything(experiment.path) == before
    assert planned["deleted"] is False
    assert planned["bytes"] == sum(item["bytes"] for item in planned["items"]) > 20
    done = api.gc(keep=2, delete=True)
    assert done == {**planned, "deleted": True}
    assert not [item for item in planned["items"] if Path(item["path"]).exists()]
    assert api.gc(keep=2)["items"] == []


def test_models_outside_the_best_go_and_nothing_else(experiment: ExperimentDirectory) -> None:
    best = ranked(experiment)
    before = everything(experiment.path)
    found = api.gc(keep=2, delete=True)
    assert kinds(found) == {("models", number) for number in best[2:]}
    assert with_models(experiment) == set(best[:2])
    gone = {path for path in before if "/models" in path and int(path.split("/")[1]) in best[2:]}
    assert everything(experiment.path) == {path: size for path, size in before.items() if path not in gone}
    assert Result.load(experiment).model.predict([[5.1, 3.5, 1.4, 0.2]])[0] == "setosa"
    assert api.replay(experiment.path, trial=best[-1]).identical


def test_a_generous_keep_leaves_all_models(experiment: ExperimentDirectory) -> None:
    assert api.gc()["items"] == []


def test_the_winner_stays_whatever_is_kept(experiment: ExperimentDirectory) -> None:
    api.gc(keep=0, delete=True)
    assert with_models(experiment) == {Result.load(experiment).best.number}
    with pytest.raises(WorkspaceError, match="cannot be negative"):
        api.gc(keep=-1)


def test_checkpoints_of_trials_that_have_ended_go(experiment: ExperimentDirectory) -> None:
    unfinished = experiment.trial(max(experiment.trial_numbers()) + 1)
    for trial in (experiment.trial(0), unfinished):
        (trial.path / "checkpoint").mkdir(parents=True)
        (trial.path / "checkpoint" / "state.pt").write_bytes(b"12345")
    assert kinds(api.gc(delete=True)) == {("checkpoint", 0)}
    assert unfinished.checkpoint.exists()


def test_what_kills_left_behind_goes(experiment: ExperimentDirectory) -> None:
    files = litter(experiment)
    fresh = experiment.data / ".table.json.77.tmp"
    fresh.write_text("somebody may be writing this")
    precious = experiment.trial(0).outputs / ".note.123.tmp"
    precious.write_text("an output is the user's, whatever its name")
    os.utime(precious, (0, 0))
    found = api.gc(delete=True)
    assert kinds(found) == {
        ("temporary", None),
        ("temporary", 1),
        ("output of a killed worker", None),
        ("cache", None),
    }
    assert not any(file.exists() for file in files)
    assert fresh.exists()
    assert precious.exists()
    extended = automl.resume(experiment.path, max_trials=6, progress=False)
    assert len(extended.trials()) == 6


def test_a_deletion_that_was_cut_is_gone_on_with(experiment: ExperimentDirectory) -> None:
    number = ranked(experiment)[-1]
    cut = experiment.trial(number).path / ".models.99.tmp"
    experiment.trial(number).models.rename(cut)
    os.utime(cut, (0, 0))
    assert kinds(api.gc(delete=True)) == {("temporary", number)}
    assert not cut.exists()


def test_a_running_experiment_is_left_alone(experiment: ExperimentDirectory) -> None:
    litter(experiment)
    before = everything(experiment.path)
    with locked(experiment):
        for delete in (False, True):
            found = api.gc(keep=0, delete=delete)
            assert found["items"] == []
            assert [skipped["reason"] for skipped in found["left alone"]] == ["it is running"]
    assert everything(experiment.path) == before


def test_an_interrupted_experiment_keeps_its_models(experiment: ExperimentDirectory) -> None:
    experiment.result.unlink()
    litter(experiment)
    assert "models" not in {kind for kind, _ in kinds(api.gc(keep=0, delete=True))}
    assert len(with_models(experiment)) == 5


def test_a_result_that_cannot_be_read_keeps_the_models(experiment: ExperimentDirectory) -> None:
    experiment.result.write_text("{")
    found = api.gc(keep=0, delete=True)
    assert "its models are kept" in found["left alone"][0]["reason"]
    assert len(with_models(experiment)) == 5


def test_a_link_is_not_followed(experiment: ExperimentDirectory, tmp_path: Path) -> None:
    number = ranked(experiment)[-1]
    elsewhere = tmp_path / "elsewhere"
    experiment.trial(number).models.rename(elsewhere)
    experiment.trial(number).models.symlink_to(elsewhere)
    api.gc(keep=0, delete=True)
    assert list(elsewhere.glob("fold_*.joblib"))


@pytest.mark.usefixtures("_followed")
def test_a_registered_trial_keeps_its_models(experiment: ExperimentDirectory) -> None:
    last = ranked(experiment)[-1]
    # where the workspace moved, the stored configuration still names the old one: the store is that of the directory
    registered = api.register(experiment.path, trial=last, name="flowers")
    assert registered.version == "1"
    found = api.gc(keep=1, delete=True)
    assert len(found["items"]) == 3
    assert with_models(experiment) == {ranked(experiment)[0], last}
    assert json.loads((experiment.trial(last).result).read_text())["number"] == last


def test_an_empty_workspace_has_nothing(workspace: Path) -> None:
    assert api.gc() == {
        "workspace": str(workspace),
        "deleted": False,
        "bytes": 0,
        "items": [],
        "left alone": [],
    }
    assert not workspace.exists()

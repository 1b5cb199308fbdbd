"""Whatever lies in an experiment's directory: every command that reads it answers in a sentence, or leaves it out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import automl
from automl import api
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import AutomlError, WorkspaceError

ODD: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a list": lambda path: path.write_text("[]"),
    "other keys": lambda path: path.write_text('{"params": [1], "algorithm": 3, "goals": [], "winner": "x"}'),
    "deep nesting": lambda path: path.write_bytes(b"[" * 100_000),
    "nothing": lambda path: None,
}

PLACES = (
    "automl.log",
    "clock.json",
    "result.json",
    "study.journal",
    "data/objectives.json",
    "trials",
    "trials/00000",
    "trials/00000/trial.json",
    "trials/00000/params.json",
)

COMMANDS: dict[str, Callable[[Path], object]] = {
    "runs list": lambda place: api.list_runs(place.parent.parent),
    "runs show": api.show_run,
    "runs show --trial": lambda place: api.show_run(place, trial=0),
    "runs logs": lambda place: list(api.read_logs(place)),
    "runs cancel": api.cancel_run,
    "leaderboard": lambda place: api.show_leaderboard(place, front=True),
    "gc": lambda place: api.gc(place.parent.parent),
    "resume": lambda place: api.resume(place, progress=False),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return automl.fit(
        "classification",
        "iris",
        max_trials=1,
        workspace=str(tmp_path_factory.mktemp("odd")),
        name="odd",
        progress=False,
        compute={"executor": "inline"},
        search={"algorithms": {"allow": ["naive_bayes"]}, "portfolio": False, "pruner": "none"},
        validation={"folds": 3, "repeats": 1},
        registry=None,
        tracking=None,
    ).directory


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    place = tmp_path / "workspace" / "odd" / original.name
    shutil.copytree(original, place)
    return place


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ODD)
def test_anything_anywhere_is_a_sentence_or_left_out(copy: Path, place: str, kind: str) -> None:
    path = copy / place
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    ODD[kind](path)
    for command in COMMANDS.values():
        try:
            command(copy)
        except AutomlError as error:
            assert "\n" not in str(error) or "mistakes" in str(error)


@pytest.mark.parametrize("name", ["²", "٣", "-1", "00001.x", "7", "9" * 30, "00009"])
def test_what_is_no_trials_directory_is_no_trial(copy: Path, name: str) -> None:
    (copy / "trials" / name).touch()
    assert ExperimentDirectory(copy).trial_numbers() == [0]


def test_trials_that_are_no_folder_are_said(copy: Path) -> None:
    shutil.rmtree(copy / "trials")
    (copy / "trials").touch()
    for command in ("runs show", "leaderboard", "resume"):
        with pytest.raises(WorkspaceError, match="trials is not a folder"):
            COMMANDS[command](copy)


def test_a_damaged_experiment_does_not_end_a_listing(copy: Path) -> None:
    other = copy.parent / "20260101-000000-aaaa"
    shutil.copytree(copy, other)
    (copy / "data").rename(copy / "gone")
    (copy / "data").touch()
    workspace = Workspace(copy.parent.parent)
    assert [row["status"] for row in api.list_runs(workspace.root)] == ["finished", "damaged"]
    assert [left["experiment"] for left in api.gc(workspace.root)["left alone"]] == [f"odd/{copy.name}"]

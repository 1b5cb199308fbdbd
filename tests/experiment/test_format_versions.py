"""Every file of ours that a newer automl has written is refused in one clear sentence, and nothing is changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import automl
from automl import api
from automl.engine.space.library import shipped_space
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import AutomlError
from automl.experiment.result import Result


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment that has written everything there is to write."""
    options: dict[str, Any] = {
        "workspace": str(tmp_path_factory.mktemp("formats")),
        "search": {"algorithms": {"allow": ["naive_bayes"]}, "portfolio": False},
        "compute": {"executor": "inline"},
        "validation": {"folds": 2},
        "registry": None,
        "tracking": None,
        "progress": False,
        "max_trials": 2,
    }
    first = automl.fit("classification", "iris", name="first", **options)
    warm = {**options["search"], "warm_start": str(first.directory)}
    return automl.fit("classification", "iris", name="formats", **{**options, "search": warm}).directory


@pytest.fixture
def experiment(original: Path, workspace: Path) -> Path:
    return Path(shutil.copytree(original, workspace / "formats" / original.name))


def resume(place: Path) -> Any:
    return automl.resume(place, max_trials=3, progress=False)


READERS: dict[str, Callable[[Path], Any]] = {
    "experiment.yaml": resume,
    "clock.json": resume,
    "environment.json": lambda place: api.replay(place),
    "result.json": Result.load,
    "warm_start.json": resume,
    "data/table.json": resume,
    "data/objectives.json": lambda place: Result.load(place).leaderboard(),
    "trials/00000/check.json": lambda place: Result.load(place).register(trial=0),
    "trials/00000/params.json": lambda place: api.replay(place, trial=0),
    "trials/00000/trial.json": resume,
}


def newer(file: Path) -> None:
    text = file.read_text()
    if file.suffix == ".yaml":
        file.write_text(text.replace("format_version: 1", "format_version: 99"))
    else:
        file.write_text(json.dumps({**json.loads(text), "format_version": 99}))


def test_every_versioned_file_is_looked_at(original: Path) -> None:
    """A new file of ours needs a line in READERS."""
    files = [path for path in original.rglob("*") if path.suffix in (".json", ".yaml") and "outputs" not in path.parts]
    versioned = {str(path.relative_to(original)) for path in files if "format_version" in path.read_text()}
    assert {name.replace("trials/00001", "trials/00000") for name in versioned} == set(READERS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_newer_file_is_refused(experiment: Path, name: str) -> None:
    newer(experiment / name)
    before = (experiment / name).read_text()
    with pytest.raises(AutomlError, match=r"99.*Install a newer|install a newer") as raised:
        READERS[name](experiment)
    assert "\n" not in str(raised.value)
    assert Path(name).name in str(raised.value)
    assert (experiment / name).read_text() == before


def test_a_newer_split_plan_is_refused(experiment: Path) -> None:
    plan = experiment / "data" / "split_plan.npz"
    with np.load(plan) as arrays:
        kept = dict(arrays)
    np.savez(plan, **{**kept, "format_version": np.int64(99)})
    with pytest.raises(AutomlError, match=r"split_plan\.npz.*newer"):
        resume(experiment)


def test_a_newer_space_is_refused(experiment: Path, tmp_path: Path) -> None:
    space = tmp_path / "space.yaml"
    space.write_text(shipped_space("classification").read_text().replace("format_version: 1", "format_version: 99"))
    file = tmp_path / "e.yaml"
    file.write_text("task: classification\ndata: iris\nsearch: {space: space.yaml}\n")
    with pytest.raises(AutomlError, match=r"space\.yaml:\d+: format_version: 99 is newer"):
        api.validate(file)


def test_a_newer_request_is_not_obeyed(experiment: Path) -> None:
    from automl.engine.workspace.control import request, take

    place = ExperimentDirectory(experiment)
    request(place, "cancel")
    newer(place.control / "cancel.json")
    with pytest.raises(AutomlError, match=r"cancel\.json has format version 99"):
        take(place, "cancel")

"""A disk that is full: one sentence, nothing lost, and once there is room it goes on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl import api
from automl.engine.workspace.layout import Workspace
from automl.testing.invariants import Ledger, examine
from automl.testing.kill_points import Scene

EXPERIMENT = """
experiment: flowers
task: classification
data: iris
metric: accuracy
limits: {limits}
search: {{algorithms: {{allow: [lda, naive_bayes, decision_tree]}}, portfolio: false}}
compute: {{executor: process, max_workers: 1}}
tracking: {tracking}
registry: {registry}
"""


class Disk:
    """A small file system of our own."""

    def __init__(self, place: Path) -> None:
        self.place, self._filler = place, place / "filler"

    def fill(self) -> None:
        """Leave no room, not even for what others free meanwhile: their next write fails."""
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(1 << 12))

    def make_room(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small file system")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def automl(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "automl", *map(str, arguments)],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)


def test_a_search_says_so_and_goes_on_when_there_is_room(disk: Disk, tmp_path: Path) -> None:
    file = tmp_path / "flowers.yaml"
    file.write_text(EXPERIMENT.format(limits="{max_trials: 100000}", tracking="null", registry="null"))
    workspace = disk.place / "runs"
    process = automl("run", file, "--workspace", workspace)
    scene = Scene(Workspace(workspace), "flowers")
    wait_for(lambda: len(scene.finished) >= 2, process)
    directory = scene.directory
    assert directory is not None
    ledger = Ledger()
    ledger.note(directory)
    disk.fill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2, errors
    assert "No space left on device" in errors
    assert "automl resume" in errors
    assert "Traceback" not in errors

    disk.make_room()
    ledger.note(directory)
    api.resume(directory.path, max_trials=len(scene.finished) + 2, progress=False)
    assert examine(directory, ledger).sound


@pytest.mark.slow
def test_a_full_store_takes_neither_the_result_nor_the_registered_model_away(disk: Disk, tmp_path: Path) -> None:
    file = tmp_path / "flowers.yaml"
    database = disk.place / "mlflow.db"
    tracking = f"{{uri: 'sqlite:///{database}'}}"
    file.write_text(EXPERIMENT.format(limits="{max_trials: 8}", tracking=tracking, registry="{name: flowers}"))
    process = automl("run", file, "--workspace", tmp_path / "runs")
    scene = Scene(Workspace(tmp_path / "runs"), "flowers")
    wait_for(database.exists, process)
    disk.fill()
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert "flowers version 1 is registered; MLflow" in errors
    assert "flowers version 1 is the champion" in output

    disk.make_room()
    assert scene.directory is not None
    assert examine(scene.directory).problems == ()

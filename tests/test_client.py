"""`Run`: inside a trial, outside of one, and when the disk is full."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from automl.client import Run, TrialPruned, current_run


def test_outside_a_trial_it_prints(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.client._current", None)
    run = Run.get_context()
    run.log("loss", 0.5)
    run.log("loss", 0.25)
    assert capsys.readouterr().out == "loss = 0.5 (step 0)\nloss = 0.25 (step 1)\n"
    assert Run.get_context() is run


def test_inside_a_trial_everybody_gets_the_same_run(tmp_path: Path) -> None:
    run = Run(tmp_path, number=3, params={"lr": 0.1})
    with current_run(run):
        assert Run.get_context() is run
        assert Run.get_context().params == {"lr": 0.1}
    assert Run.get_context() is not run


def test_a_repeated_name_is_a_series_on_disk(tmp_path: Path) -> None:
    seen = []
    run = Run(tmp_path, number=0, sink=lambda name, value, step: seen.append((name, value, step)))
    run.log("loss", 2)
    run.log("loss", 1, step=10)
    run.log("loss", 0.5)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["name"], line["value"], line["step"]) for line in lines] == seen
    assert seen == [("loss", 2.0, 0), ("loss", 1.0, 10), ("loss", 0.5, 11)]
    run.close()


def test_only_trial_pruned_is_raised_and_only_after_it_was_asked_for(tmp_path: Path) -> None:
    run = Run(tmp_path, number=0, stop_requested=lambda: True)
    with current_run(run):
        run.log("loss", 1.0)
        Run.get_context(raise_pruned=True)
        with pytest.raises(TrialPruned):
            run.log("loss", 0.5)


def test_logging_survives_a_directory_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run("/proc/nothing", number=0)
    run.log("loss", 1.0)
    run.log("loss", 0.5)
    assert capsys.readouterr().err.count("no longer written") == 1
    assert run.metrics == {"loss": 0.5}


def test_seconds_left_counts_down_and_is_infinite_without_a_limit(tmp_path: Path) -> None:
    assert Run(tmp_path).seconds_left == math.inf
    assert 0 < Run(tmp_path, seconds=60).seconds_left <= 60
    assert Run(tmp_path, seconds=0).seconds_left == 0


def test_outputs_is_a_folder_that_is_there(tmp_path: Path) -> None:
    assert Run(tmp_path).outputs.is_dir()


def test_a_checkpoint_is_made_when_it_is_asked_for(tmp_path: Path) -> None:
    run = Run(tmp_path, number=3)
    assert run.parent_checkpoint is None
    assert not (tmp_path / "checkpoint").exists()
    (run.checkpoint / "epoch.txt").write_text("1")
    child = Run(tmp_path / "child", number=4, parent_checkpoint=run.checkpoint)
    assert child.parent_checkpoint is not None
    assert (child.parent_checkpoint / "epoch.txt").read_text() == "1"
    assert child.checkpoint != run.checkpoint


def test_it_needs_the_standard_library_alone() -> None:
    code = "import sys; import automl.client; print([m for m in sys.modules if m in ('numpy', 'pydantic', 'yaml')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

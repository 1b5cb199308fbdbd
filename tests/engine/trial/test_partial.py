"""What a trial notes of its work while it runs, and what becomes of it where the trial is ended."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from automl.engine.trial.contract import Outcome, Partial, Status, TrialResult
from automl.engine.trial.partial import discard, keep, note, read_note
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import WorkspaceError

HALF = Partial(share=0.5, extent="half of the way", detail={"steps": 3})


@pytest.fixture
def place(tmp_path: Path) -> TrialDirectory:
    """A trial that has noted half of its work: one model, and a file of predictions."""
    place = TrialDirectory(tmp_path / "trial")
    place.models.mkdir(parents=True)
    (place.models / "first").write_bytes(b"model")
    (place.path / "completed-1").write_bytes(b"predictions")
    outcome = Outcome(value=0.7, metrics={"accuracy": 0.7}, predict_seconds=2.0)
    note(place, HALF, outcome, models=["first"], files={"predictions": "completed-1"}, memo={"loss": math.nan})
    return place


def ended(place: TrialDirectory, status: Status = Status.CANCELLED) -> TrialResult:
    return keep(place, TrialResult(number=0, algorithm="a", status=status))


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.INTERRUPTED])
def test_what_was_noted_is_the_result_of_a_trial_that_was_ended(place: TrialDirectory, status: Status) -> None:
    result = ended(place, status)
    assert result.is_partial
    assert (result.value, result.metrics, result.predict_seconds) == (0.7, {"accuracy": 0.7}, 2.0)
    assert (result.share, result.extent, result.model_size) == (0.5, "half of the way", len(b"model"))
    assert (place.path / "predictions").read_bytes() == b"predictions"
    assert TrialResult.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMED_OUT, Status.OUT_OF_MEMORY, Status.PRUNED])
def test_what_ended_by_its_own_fault_leaves_no_model(place: TrialDirectory, status: Status) -> None:
    assert not ended(place, status).is_partial
    assert not (place.path / "predictions").exists()


def test_keeping_may_be_repeated_until_notes_are_deleted(place: TrialDirectory) -> None:
    assert ended(place) == ended(place)
    discard(place)
    assert not ended(place).is_partial
    assert sorted(file.name for file in place.path.iterdir()) == ["models", "predictions"]


def test_a_note_takes_the_place_of_the_one_before(place: TrialDirectory) -> None:
    (place.models / "second").write_bytes(b"another")
    (place.path / "completed-2").write_bytes(b"more")
    more = Partial(share=0.75, extent="most of the way")
    note(place, more, Outcome(value=0.8), models=["first", "second"], files={"predictions": "completed-2"})
    assert not (place.path / "completed-1").exists()
    assert ended(place).share == 0.75
    assert (place.path / "predictions").read_bytes() == b"more"


def test_models_that_were_not_noted_any_more_do_not_count(place: TrialDirectory) -> None:
    (place.models / "second").write_bytes(b"torn by a kill")
    assert ended(place).is_partial
    assert [file.name for file in place.models.iterdir()] == ["first"]


@pytest.mark.parametrize("gone", ["models/first", "completed-1"])
def test_a_note_whose_files_are_gone_is_none(place: TrialDirectory, gone: str) -> None:
    (place.path / gone).unlink()
    assert read_note(place) is None
    assert not ended(place).is_partial


@pytest.mark.parametrize("files", [{"predictions": "../completed-1"}, {"../predictions": "completed-1"}])
def test_a_note_reaches_no_file_elsewhere(place: TrialDirectory, files: dict[str, str]) -> None:
    (place.path.parent / "completed-1").write_bytes(b"somebody's")
    place.completed.write_text(json.dumps({**json.loads(place.completed.read_text()), "files": files}))
    assert not ended(place).is_partial
    assert [file.name for file in place.path.parent.iterdir() if file.is_file()] == ["completed-1"]


def test_what_the_work_wants_to_find_again_is_there(place: TrialDirectory) -> None:
    found = read_note(place)
    assert found is not None
    assert math.isnan(found.memo["loss"])


def test_a_disk_that_cannot_be_written_is_said(place: TrialDirectory) -> None:
    (place.path / "predictions").mkdir()
    with pytest.raises(WorkspaceError, match="Cannot write"):
        ended(place)
    assert not list(place.path.glob(".*.tmp"))

"""The winner as result.json names it, whoever wrote the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from automl.engine.trial.contract import Status, TrialResult
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.results.winner import Winner


def test_a_winner_is_read_as_it_was_written(tmp_path: Path) -> None:
    directory = ExperimentDirectory(tmp_path)
    result = TrialResult(number=7, algorithm="forest", status=Status.COMPLETED, value=0.5)
    winner = Winner.of(result, directory, "It is small.")
    assert Winner.model_validate_json(winner.model_dump_json()) == winner
    assert winner.place(directory).path == directory.trial(7).path


@pytest.mark.parametrize("files", ["", "/etc", "../20260101-000000-0000/trials/00001", "trials/../../other"])
def test_a_winner_in_another_place_is_refused(files: str) -> None:
    with pytest.raises(ValidationError, match="a folder in the experiment's directory is needed"):
        Winner(title="trial 7", files=files, trials=(7,), value=0.5)


@pytest.mark.parametrize("damage", [{"trials": ()}, {"trials": (-1,)}, {"value": float("nan")}])
def test_a_winner_that_cannot_be_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Winner.model_validate({"title": "trial 7", "files": "trials/00007", "trials": (7,), "value": 0.5} | damage)

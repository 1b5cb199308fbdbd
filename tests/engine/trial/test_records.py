from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl.engine.trial.contract import Lineage, TrialSpec
from automl.engine.trial.records import proposal_as_json, read_params, read_proposed
from automl.engine.trial.stage import Stage
from automl.engine.workspace.atomic import FORMAT_VERSION
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import WorkspaceError


def written(place: TrialDirectory, content: Any) -> TrialDirectory:
    place.path.mkdir(exist_ok=True)
    place.params.write_text(content if isinstance(content, str) else json.dumps(content))
    return place


@pytest.fixture
def place(tmp_path: Path) -> TrialDirectory:
    return TrialDirectory(tmp_path / "000007")


def test_a_proposal_is_read_as_it_was_written(place: TrialDirectory) -> None:
    spec = TrialSpec(
        number=7,
        algorithm="net",
        params={"rate": 0.1, "layers": [3, {"wide": True}], "none": None},
        directory=place.path,
        seed=2**60,
        attempt=2,
        fidelity=0.5,
        lineage=Lineage(parent=3, notes={"population": 0}),
        stage=Stage(seconds=15.0, until=17.25),
    )
    written(place, proposal_as_json(spec).decode())
    assert read_params(place) == spec.params
    proposed = read_proposed(place)
    assert proposed is not None
    assert (proposed.number, proposed.attempt, proposed.algorithm) == (7, 2, "net")
    assert (proposed.seed, proposed.fidelity, proposed.parent) == (2**60, 0.5, 3)
    assert (proposed.stage, proposed.notes) == (spec.stage, {"population": 0})


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"number": 7, "algorithm": "net"}',
        '{"number": 7, "algorithm": "net", "params": [1]}',
        '{"number": 7, "algorithm": 5, "params": {}}',
        '{"number": 7, "algorithm": "net", "params": {}, "attempt": true}',
        '{"number": 7, "algorithm": "net", "params": {}, "attempt": 0}',
        '{"number": 7, "algorithm": "net", "params": {}, "stage": "final"}',
        '{"number": 7, "algorithm": "net", "params": {}, "notes": [1]}',
        '{"number": 7, "algorithm": "net", "params": {}, "fidelity": 0}',
    ],
)
def test_a_damaged_record_counts_as_missing(place: TrialDirectory, damage: str) -> None:
    assert read_proposed(place) is None
    assert read_proposed(written(place, damage)) is None
    assert read_params(place) == {}


def test_the_record_of_a_newer_automl_is_refused(place: TrialDirectory) -> None:
    newer = {"format_version": FORMAT_VERSION + 1, "number": 7, "algorithm": "net", "params": {}}
    with pytest.raises(WorkspaceError, match="newer automl"):
        read_proposed(written(place, newer))

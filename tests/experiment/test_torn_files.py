"""Every file of an experiment, cut off anywhere: a resumed session goes on, or says in one sentence why it cannot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import automl
from automl.engine.trial.contract import Status
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import AutomlError, ConfigError
from automl.experiment.result import Result
from automl.testing.invariants import Ledger, examine

TRIALS = 3
QUICK: dict[str, Any] = {
    "compute": {"executor": "inline"},
    "search": {"algorithms": {"allow": ["naive_bayes", "lda"]}, "portfolio": False, "pruner": "none"},
    "validation": {"folds": 3, "repeats": 1},
    "registry": None,
    "tracking": None,
    "progress": False,
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("torn")
    return automl.fit("classification", "iris", max_trials=TRIALS, workspace=str(place), name="torn", **QUICK).directory


@pytest.fixture
def experiment(original: Path, tmp_path: Path) -> ExperimentDirectory:
    """A copy of the experiment, as if it had been cut just before it wrote its result."""
    copy = tmp_path / "torn" / original.name
    shutil.copytree(original, copy)
    (copy / "result.json").unlink()
    return ExperimentDirectory(copy)


def resumed(experiment: ExperimentDirectory, *, trials: int | None = None) -> Result:
    return automl.resume(experiment.path, max_trials=trials, progress=False)


def cuts(content: bytes) -> list[int]:
    """A cut of each class: nothing left, in the first and in the last line, at a line's end, before the last byte."""
    ends = [place + 1 for place, byte in enumerate(content[:-1]) if byte == ord("\n")]
    some = {0, 1, len(content) // 2, len(content) - 1, *ends[len(ends) // 2 :][:1], *(end + 1 for end in ends[-1:])}
    return sorted(cut for cut in some if cut < len(content))


def pieces(file: Path) -> Iterator[None]:
    """Cut `file` in place, in each of these ways in turn."""
    content = file.read_bytes()
    for cut in cuts(content):
        file.write_bytes(content[:cut])
        yield


# Whatever may be lost without harm


@pytest.mark.parametrize(
    "name",
    [
        "automl.log",
        "environment.json",
        "result.json",
        "ending.json",
        "control/cancel.json",
        "trials/00001/metrics.jsonl",
        "trials/00001/params.json",
    ],
)
def test_the_search_goes_on(experiment: ExperimentDirectory, original: Path, name: str) -> None:
    file = experiment.path / name
    if name == "result.json":
        shutil.copy(original / name, file)
    elif not file.exists():
        file.write_text('{\n "format_version": 1,\n "now": true\n}')
    ledger = Ledger()
    if "params" not in name:
        ledger.note(experiment)
    for _ in pieces(file):
        result = resumed(experiment)
        assert [trial["number"] for trial in records(experiment)] == list(range(TRIALS))
        assert result.stopped_because == f"max_trials: {TRIALS} trials were run"
        assert examine(experiment, ledger).sound
        if name != "result.json":
            experiment.result.unlink()


def records(experiment: ExperimentDirectory) -> list[dict[str, Any]]:
    return [json.loads(experiment.trial(number).result.read_text()) for number in experiment.trial_numbers()]


# What a trial came to


def test_a_result_that_is_cut_before_the_journal_hears_of_it_is_come_to_again(experiment: ExperimentDirectory) -> None:
    last = experiment.trial(TRIALS - 1)
    before = records(experiment)[-1]["value"]
    lines = experiment.journal.read_bytes().splitlines(keepends=True)
    experiment.journal.write_bytes(b"".join(lines[:-1]))  # the last thing told is the last trial's end
    for _ in pieces(last.result):
        resumed(experiment)
        found = records(experiment)[-1]
        assert (found["attempt"] > 1, found["value"]) == (True, before)
        assert examine(experiment).sound
        experiment.result.unlink()
        experiment.journal.write_bytes(b"".join(lines[:-1]))


def test_a_result_that_is_cut_afterwards_is_what_the_journal_says(experiment: ExperimentDirectory) -> None:
    value = records(experiment)[1]["value"]
    for _ in pieces(experiment.trial(1).result):
        resumed(experiment)
        assert records(experiment)[1]["value"] == value
        assert examine(experiment).sound
        experiment.result.unlink()


def test_a_trial_whose_parameters_are_cut_while_it_runs_is_interrupted(experiment: ExperimentDirectory) -> None:
    lines = experiment.journal.read_bytes().splitlines(keepends=True)
    experiment.journal.write_bytes(b"".join(lines[:-1]))
    last = experiment.trial(TRIALS - 1)
    last.result.unlink()
    last.params.write_bytes(last.params.read_bytes()[:-5])
    resumed(experiment)
    assert records(experiment)[-1]["status"] == Status.INTERRUPTED
    assert examine(experiment).sound


# The journal


def test_a_journal_that_is_cut_anywhere_loses_no_trial(experiment: ExperimentDirectory) -> None:
    ledger = Ledger()
    ledger.note(experiment)
    content = experiment.journal.read_bytes()
    last = content.rstrip().rfind(b"\n") + 1
    for cut in {*cuts(content), last, last + 1, len(content) - 2}:
        experiment.journal.write_bytes(content[:cut])
        result = resumed(experiment)
        assert len(result.trials()) == TRIALS
        assert examine(experiment, ledger).sound
        experiment.result.unlink()


def test_what_follows_a_cut_is_a_line_of_its_own(experiment: ExperimentDirectory) -> None:
    content = experiment.journal.read_bytes()
    for cut in (content[:-1], content[:-7]):  # the last record without its newline, and a part of it
        experiment.journal.write_bytes(cut)
        resumed(experiment, trials=TRIALS + 1)
        assert all(json.loads(line) for line in experiment.journal.read_bytes().splitlines())
        assert examine(experiment).sound
        experiment.result.unlink()


# What is written whole


def test_a_configuration_that_is_cut_is_refused(experiment: ExperimentDirectory) -> None:
    content = experiment.config.read_bytes()
    ends = [place + 1 for place, byte in enumerate(content[:-1]) if byte == ord("\n")]
    # At the end of a line the rest is valid YAML, and another experiment: one without limits, say.
    for cut in {*cuts(content), *ends} - {len(content) - 1}:  # which takes a newline alone
        experiment.config.write_bytes(content[:cut])
        with pytest.raises(ConfigError) as refused:
            resumed(experiment)
        assert str(experiment.config) in str(refused.value)


@pytest.mark.parametrize("name", ["data/split_plan.npz", "data/table.json"])
def test_a_record_of_the_data_that_is_cut_is_one_sentence(experiment: ExperimentDirectory, name: str) -> None:
    for _ in pieces(experiment.path / name):
        with pytest.raises(AutomlError, match=name.rpartition("/")[2]):
            resumed(experiment)


def test_what_a_killed_writer_left_is_swept_away(experiment: ExperimentDirectory) -> None:
    halves = [experiment.path / ".clock.json.123.tmp", experiment.trial(0).path / ".trial.json.123.tmp"]
    for half in halves:
        half.write_text("{")
    halves.append(experiment.trial(1).path / ".models.123.tmp")  # models on their way out
    halves[-1].mkdir()
    (halves[-1] / "fold_00.joblib").touch()
    own = experiment.trial(0).outputs / ".mine.123.tmp"
    own.write_text("a finished trial's outputs are its own")
    resumed(experiment)
    assert not any(half.exists() for half in halves)
    assert own.exists()


def test_a_request_to_a_session_that_has_died_does_not_stop_the_next(experiment: ExperimentDirectory) -> None:
    (experiment.control / "cancel.json").write_text('{"format_version": 1, "now": true}')
    assert resumed(experiment, trials=TRIALS + 1).stopped_because == f"max_trials: {TRIALS + 1} trials were run"

"""A search without a model says why, and how much time would have done: to a program and on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.deadline import Deadline
from automl.engine.study.state import SearchState
from automl.engine.trial.contract import Failure, Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.records import write_result
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import NoModelError
from automl.experiment.no_model import no_model


@pytest.fixture
def directory(tmp_path: Path) -> ExperimentDirectory:
    return Workspace(tmp_path).create_experiment("test")


def add(directory: ExperimentDirectory, status: Status, seconds: float = 8.0, failure: Failure | None = None) -> None:
    number = len(directory.trial_numbers())
    directory.trial(number).path.mkdir()
    worker = "here:1" if seconds else ""
    fields = {"algorithm": "svm", "status": status, "seconds": seconds, "failure": failure, "worker": worker}
    write_result(directory.trial(number), TrialResult(number=number, **fields))  # type: ignore[arg-type]


def error_of(directory: ExperimentDirectory, *, budget: float | None = 20.0, remaining: float = 0.0) -> NoModelError:
    count = len(directory.trial_numbers())
    counts = {Status.CANCELLED: count} if count else {}
    last = SearchState(Objective("accuracy"), counts=counts, remaining=remaining, elapsed=19.5, stopped_because="time")
    return no_model(last, directory, Deadline.after(budget), first_part="the first of its 5 folds")


def test_a_trial_that_the_clock_has_ended_is_named_with_its_time(directory: ExperimentDirectory) -> None:
    add(directory, Status.CANCELLED, 8.0)
    assert error_of(directory).causes == ("trial 0, svm, was ended after 8.0 s, within the first of its 5 folds",)


def test_a_trial_for_which_no_worker_was_ready_is_no_trial_that_took_no_time(directory: ExperimentDirectory) -> None:
    add(directory, Status.CANCELLED, 0.0)
    assert error_of(directory).causes == ("trial 0, svm, was ended before a worker was ready for it",)


def test_the_budget_that_it_wants_has_room_for_the_longest_trial(directory: ExperimentDirectory) -> None:
    add(directory, Status.CANCELLED, 3.0)
    add(directory, Status.CANCELLED, 8.0)
    assert error_of(directory).wants == 40.0  # 20 s, and twice 8 s, in steps of 5 s


def test_a_program_and_a_terminal_are_told_in_their_own_words(directory: ExperimentDirectory) -> None:
    add(directory, Status.CANCELLED, 8.0)
    error, place = error_of(directory), directory.path
    assert f'write time_budget="40s"; automl.resume("{place}", time_budget="40s") continues.' in str(error)
    said = error.on_command_line()
    assert f"write --time-budget 40s; 'automl resume {place} --time-budget 40s' continues." in said
    assert 'time_budget="' not in said


def test_a_budget_that_was_over_before_the_first_trial_is_said(directory: ExperimentDirectory) -> None:
    error = error_of(directory)
    assert error.causes == ("the time ran out before the first trial could begin, after 19.5 s",)
    assert error.wants is not None


def test_who_had_time_is_not_told_to_give_more(directory: ExperimentDirectory) -> None:
    add(directory, Status.FAILED, failure=Failure(kind="ValueError", message="no"))
    add(directory, Status.FAILED, failure=Failure(kind="ValueError", message="no"))
    error = error_of(directory, remaining=5.0)
    assert (error.causes, error.wants) == (("ValueError: no (2 trials)",), None)
    assert "more time" not in str(error)

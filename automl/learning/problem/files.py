"""The files that a resumed session and a replay need beside the configuration: the data or its fingerprint, the
split plan, example rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import DataError, WorkspaceError
from automl.learning.data.example import write_example
from automl.learning.data.save import check_unchanged, has_copy, load_saved, save_summary, save_table
from automl.learning.data.table import Table
from automl.learning.problem.prepared import PreparedData
from automl.learning.validation.folds import SplitPlan

__all__ = ["EXAMPLE", "as_recorded", "save_problem", "saved_data"]

_Problem = TypeVar("_Problem", bound=PreparedData)

EXAMPLE = "example"
"""Stem of the file in ``data/`` that holds a few raw rows: the registered model's signature and its check."""

_PLAN = "split_plan.npz"


def save_problem(problem: PreparedData, directory: ExperimentDirectory) -> None:
    """Record what the trials depend on, or check it against what an earlier session recorded.

    Data that cannot be read again is copied.

    Raises:
        DataError: the data, or its split, is not what the experiment began with.
    """
    plan = directory.data / _PLAN
    if plan.exists():
        check_unchanged(problem.table, directory.data)
        if SplitPlan.load(plan).hash != problem.plan.hash:
            raise DataError(
                f"The split plan has changed since {directory.path} began, so its trials cannot be compared with new "
                "ones. Start a new experiment."
            )
        return
    (save_table if problem.from_memory else save_summary)(problem.table, directory.data)
    write_example(problem.table.X, directory.data / EXAMPLE)
    problem.plan.save(plan)  # last: with it the session can be resumed


def saved_data(directory: ExperimentDirectory) -> tuple[Table, SplitPlan] | None:
    """The copy of data that came from memory, and how it is split; None if all of it has its own source.

    Raises:
        DataError: the copy was not complete when the experiment was cut off.
    """
    if not has_copy(directory.data):
        return None
    if not (directory.data / _PLAN).exists():
        raise DataError(
            f"{directory.path} was cut off before its data was saved, so it cannot continue: start it again."
        )
    return load_saved(directory.data), SplitPlan.load(directory.data / _PLAN)


def as_recorded(problem: _Problem, directory: ExperimentDirectory) -> _Problem:
    """`problem` with the split plan that the experiment's trials were scored on.

    Raises:
        DataError: the data is not what the experiment began with.
        WorkspaceError: the experiment was cut off before its split plan was written, or it is damaged.
    """
    plan = directory.data / _PLAN
    if not plan.exists():
        raise WorkspaceError(f"{plan} is missing, so the rows that the trials were scored on are unknown.")
    check_unchanged(problem.table, directory.data)
    return replace(problem, plan=SplitPlan.load(plan))

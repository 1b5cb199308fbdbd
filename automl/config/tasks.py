"""Kinds of problems by the name below ``task``: those of learning, and others that installed distributions bring."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from automl.engine.search.problem import Problem
from automl.learning.tasks.registry import task_names as learning_tasks

__all__ = ["ENTRY_POINTS", "other_tasks", "problem_class", "task_names"]

ENTRY_POINTS = "automl.problems"


def task_names() -> tuple[str, ...]:
    """Names of all tasks that can be asked for."""
    return tuple(sorted({*learning_tasks(), *other_tasks()}))


def other_tasks() -> frozenset[str]:
    """Names of tasks that are not of learning: they may have no data."""
    return frozenset(point.name for point in entry_points(group=ENTRY_POINTS))


@cache
def problem_class(task: str) -> type[Problem]:
    """The kind of problem that `task` is."""
    for point in entry_points(group=ENTRY_POINTS, name=task):
        kind: type[Problem] = point.load()
        return kind
    from automl.learning.problem.problem import LearningProblem  # NumPy: not needed to read a configuration

    return LearningProblem

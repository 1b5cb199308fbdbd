"""Kinds of problems by the name below ``task``: those of learning, and others that installed distributions bring."""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from inspect import isabstract

from automl.engine.search.problem import Problem
from automl.errors import ConfigError
from automl.learning.tasks.registry import FIRST_IMPORTS
from automl.learning.tasks.registry import task_names as learning_tasks

__all__ = ["ENTRY_POINTS", "first_imports", "other_tasks", "problem_class", "task_names"]

ENTRY_POINTS = "automl.problems"


def task_names() -> tuple[str, ...]:
    """Names of all tasks that can be asked for."""
    return tuple(sorted({*learning_tasks(), *_brought()}))


def other_tasks() -> frozenset[str]:
    """Names of tasks that are not of learning: they may have no data. A name that learning has stays learning's."""
    brought = _brought()
    return brought.difference(learning_tasks()) if brought else brought


def first_imports(task: str) -> tuple[str, ...]:
    """Modules that the first trial of a task needs in any case: a worker imports them while its experiment begins."""
    return () if task in other_tasks() else FIRST_IMPORTS


@cache
def problem_class(task: str) -> type[Problem]:
    """The kind of problem that `task` is.

    Raises:
        ConfigError: a plugin's cannot be imported, or is none.
    """
    if task in other_tasks():
        (point, *_) = entry_points(group=ENTRY_POINTS, name=task)
        return _load(point)
    from automl.learning.problem.problem import LearningProblem  # NumPy: not needed to read a configuration

    return LearningProblem


def _brought() -> frozenset[str]:
    return _brought_by(tuple(sys.path))


@cache
def _brought_by(path: tuple[str, ...]) -> frozenset[str]:
    """Look at all distributions once: that takes a while, and a command asks several times."""
    return frozenset(point.name for point in entry_points(group=ENTRY_POINTS))


def _load(point: EntryPoint) -> type[Problem]:
    try:
        kind = point.load()
    except Exception as error:  # a plugin's own, whatever it is
        raise ConfigError(f"{point.name!r} of {point.value} cannot be imported: {error}", key="task") from error
    if not (isinstance(kind, type) and issubclass(kind, Problem)):
        raise ConfigError(f"{point.name!r} of {point.value} is not a Problem", key="task")
    if isabstract(kind):
        lacks = ", ".join(sorted(kind.__abstractmethods__))
        raise ConfigError(f"{point.name!r} of {point.value} cannot be searched: it lacks {lacks}", key="task")
    return kind

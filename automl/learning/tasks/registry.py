"""Tasks by name: modules of this package that define ``TASK``, and plugins under the entry points ``automl.tasks``."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from automl.errors import ConfigError
from automl.learning.tasks.base import Task

__all__ = ["FIRST_IMPORTS", "get_task", "task_names"]

FIRST_IMPORTS = (
    "numpy",
    "pandas",
    "sklearn.linear_model",
    "automl.learning.training.cross_validation",
    "threadpoolctl",
    "joblib",
)
"""Modules that the first trial of any task needs."""
_PACKAGE = "automl.learning.tasks"
_GROUP = "automl.tasks"
_NOT_TASKS = frozenset({"base", "registry"})


@cache
def task_names() -> tuple[str, ...]:
    """Names of all tasks that can be asked for."""
    import automl.learning.tasks as package

    shipped = {module.name for module in pkgutil.iter_modules(package.__path__)} - _NOT_TASKS
    return tuple(sorted(shipped | {point.name for point in entry_points(group=_GROUP)}))


@cache
def get_task(name: str) -> Task:
    """The task called `name`.

    Raises:
        ConfigError: there is none.
    """
    if name.isidentifier() and name not in _NOT_TASKS and importlib.util.find_spec(f"{_PACKAGE}.{name}") is not None:
        shipped: Task = importlib.import_module(f"{_PACKAGE}.{name}").TASK
        return shipped
    for point in entry_points(group=_GROUP, name=name):
        kind: type[Task] = point.load()
        return kind()
    known = task_names()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}."
    raise ConfigError(f"there is no task {name!r}; {hint}", key="task")

"""The first worker, started before this process imports what it needs itself: both import at the same time."""

from __future__ import annotations

from automl.deadline import Deadline
from automl.engine.execution.base import Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.registry import make_executor

__all__ = ["begin_executor"]

_IMPORTS = (
    "numpy",
    "pandas",
    "sklearn.linear_model",
    "automl.learning.training.cross_validation",
    "threadpoolctl",
    "joblib",
)
"""Modules that the first trial needs, whatever it is."""


def begin_executor(options: ComputeOptions, deadline: Deadline) -> Executor:
    """The executor of an experiment, its first worker on the way. The caller closes it."""
    executor = make_executor(options, deadline)
    executor.prestart(_IMPORTS)
    return executor

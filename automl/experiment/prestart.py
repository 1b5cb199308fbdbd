"""The first worker, started before this process imports what it needs itself: both import at the same time."""

from __future__ import annotations

from automl.config.schema import ExperimentConfig
from automl.config.tasks import first_imports
from automl.deadline import Deadline
from automl.engine.execution.base import Executor
from automl.engine.execution.registry import make_executor

__all__ = ["begin_executor"]


def begin_executor(config: ExperimentConfig, deadline: Deadline) -> Executor:
    """The executor of an experiment, its first worker on the way. The caller closes it."""
    executor = make_executor(config.compute, deadline)
    executor.prestart(first_imports(config.task))
    return executor

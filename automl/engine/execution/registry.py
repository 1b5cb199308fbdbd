"""Executors by name."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from automl.deadline import Deadline
from automl.engine.execution.base import Executor
from automl.engine.execution.options import BUILT_IN, ENTRY_POINTS, ComputeOptions
from automl.errors import ConfigError, ExecutorError

__all__ = ["make_executor"]


def make_executor(options: ComputeOptions | None = None, deadline: Deadline | None = None) -> Executor:
    """The executor that `options` names. It does nothing yet: `prestart` or `start` begin to.

    An entry point of the group ``automl.executors`` is called with the same two arguments.

    Raises:
        ConfigError: there is none of this name.
        ExecutorError: a plugin cannot be loaded.
    """
    options = options or ComputeOptions()
    deadline = deadline or Deadline.after(None)
    if options.executor in BUILT_IN:
        module, _, name = BUILT_IN[options.executor].partition(":")
        executor: Executor = getattr(import_module(module), name)(options, deadline)
        return executor
    for point in entry_points(group=ENTRY_POINTS, name=options.executor):
        try:
            plugin: Executor = point.load()(options, deadline)
        except Exception as error:
            raise ExecutorError(f"The executor {point.name!r} ({point.value}) cannot be loaded: {error}.") from error
        return plugin
    raise ConfigError(f"There is no executor {options.executor!r}.", key="compute.executor")

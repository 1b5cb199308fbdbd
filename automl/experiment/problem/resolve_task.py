"""The task that an experiment is: what its user called it, and what its data makes of it."""

from __future__ import annotations

from automl.config.schema import ExperimentConfig
from automl.experiment.problem.inputs import Inputs
from automl.learning.tasks.registry import get_task

__all__ = ["resolve_task"]


def resolve_task(config: ExperimentConfig, inputs: Inputs | None = None) -> ExperimentConfig:
    """The configuration with the task that it is on its data: ``classification`` of pictures has its own name.

    Done once, before anything else: experiment.yaml says what was settled. The data is looked at, not read.
    """
    source = config.data.source if inputs is None or inputs.data is None else inputs.data
    if source is None:
        return config
    task = get_task(config.task).of_data(source, config.data)
    return config if task == config.task else config.model_copy(update={"task": task})

"""experiment.yaml: an experiment as it was declared, in its own directory."""

from __future__ import annotations

from automl.config.reader import read_config
from automl.config.schema import ExperimentConfig
from automl.config.writer import write_config
from automl.engine.workspace.atomic import write_text
from automl.engine.workspace.layout import ExperimentDirectory

__all__ = ["save_config"]


def save_config(config: ExperimentConfig, directory: ExperimentDirectory) -> None:
    """Write experiment.yaml, unless it says the same already. Only for the holder of the experiment's lock.

    Raises:
        ConfigError: the configuration holds an object that cannot be written.
        WorkspaceError: the disk is full, or the directory cannot be written to.
    """
    if not directory.config.exists() or read_config(directory.config)[0] != config:
        write_text(directory.config, write_config(config))

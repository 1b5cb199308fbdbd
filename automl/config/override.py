"""Limits that a command or a call gives in place of those that an experiment declares."""

from __future__ import annotations

from typing import Any

from automl.config.reader import build_config
from automl.config.schema import ExperimentConfig

__all__ = ["with_limits"]


def with_limits(config: ExperimentConfig, **limits: Any) -> ExperimentConfig:
    """Return `config` with these limits instead of its own, except for those that are None.

    Raises:
        ConfigError: a value cannot be used.
    """
    given = {key: value for key, value in limits.items() if value is not None}
    if not given:
        return config
    checked = build_config({"task": config.task, "limits": given}).limits
    changes = {key: getattr(checked, key) for key in given}
    return config.model_copy(update={"limits": config.limits.model_copy(update=changes)})

"""The resolved configuration as experiment.yaml: defaults filled in, paths absolute, no credentials."""

from __future__ import annotations

from typing import Any

import yaml

from automl.config.schema import ExperimentConfig
from automl.errors import ConfigError
from automl.redact import redact
from automl.yaml_file import dump_document

__all__ = ["config_values", "is_cut", "write_config"]

_HEADER = (
    "# The experiment as it ran, defaults filled in. 'automl run' reads it too. It ends with a line of three dots.\n"
)
_END = "...\n"


def config_values(config: ExperimentConfig) -> dict[str, Any]:
    """The configuration as plain values, ready for JSON or YAML: ``format_version`` first, credentials redacted."""
    values = config.model_dump(mode="json", warnings="error")
    metrics = [metric["name"] if metric["goal"] is None else metric for metric in values["metric"]]
    values["metric"] = metrics if len(metrics) > 1 else metrics[0] if metrics else None
    return {"format_version": values.pop("format_version"), **redact(values)}


def write_config(config: ExperimentConfig) -> str:
    """YAML text that reads back as the same configuration (except for credentials, which are not kept).

    Raises:
        ConfigError: the configuration holds an object that cannot be written.
    """
    try:
        values = config_values(config)
        text = dump_document(values)
    except (TypeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"The configuration cannot be written: {error}.") from error
    return _HEADER + text + _END


def is_cut(text: str) -> bool:
    """Tell whether `text` is what `write_config` wrote without its end. The rest might well be valid YAML."""
    return text.startswith(_HEADER) and not text.rstrip().endswith("\n" + _END.rstrip())

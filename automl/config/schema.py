"""`ExperimentConfig`: an experiment as declared, assembled from the options that each concept owns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from automl.config.tasks import task_names
from automl.engine.execution.options import ComputeOptions
from automl.engine.search.options import LimitsOptions, SearchOptions
from automl.engine.workspace.atomic import FORMAT_VERSION
from automl.engine.workspace.options import RetentionOptions
from automl.learning.data.options import DataOptions
from automl.learning.features.options import FeatureOptions
from automl.learning.metrics.options import MetricsOption
from automl.learning.validation.options import ValidationOptions
from automl.options import Options
from automl.registry.options import RegistryOptions
from automl.tracking.options import TrackingOptions

__all__ = ["LATER", "ExperimentConfig"]

_LATER_TASKS = ("forecasting", "command")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def _later(what: str) -> str:
    return f"{what} come with a later version; leave the key out, nothing reads it yet."


LATER: Mapping[str, str] = MappingProxyType(
    {
        "ensemble": _later("ensembles"),
        "trial": _later("commands as trials"),
    }
)
"""Keys that are planned. An option that does nothing is refused, and these say why."""


def _check_name(name: str | None) -> str | None:
    if name is not None and not _NAME.fullmatch(name):
        raise ValueError(
            f"{name[:60]!r} cannot name an experiment; use letters, digits, '.', '_' and '-', "
            "beginning with a letter or a digit"
        )
    return name


def _check_task(task: str) -> str:
    known = task_names()
    if task in known:
        return task
    if task in _LATER_TASKS:
        raise ValueError(f"{task!r} comes with a later version; this one knows {', '.join(known)}")
    near = difflib.get_close_matches(task.lower(), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the tasks are {', '.join(known)}"
    raise ValueError(f"unknown task {task[:60]!r}; {hint}")


def _check_format(version: int) -> int:
    if version > FORMAT_VERSION:
        raise ValueError(f"this automl reads format versions up to {FORMAT_VERSION}; install a newer one")
    return version


def _source_alone(value: Any) -> Any:
    return {"source": value} if isinstance(value, str) else value


class ExperimentConfig(Options):
    """One declared search. A YAML file, or the arguments of `automl.fit`.

    `metric` is empty where the task's own decides; `registry` and `tracking` are None when they are switched off.
    """

    experiment: Annotated[str | None, AfterValidator(_check_name)] = Field(
        default=None, description="the experiment's name; by default the name of the data"
    )
    task: Annotated[str, AfterValidator(_check_task)] = Field(description=f"what to learn: {', '.join(task_names())}")
    data: Annotated[DataOptions, BeforeValidator(_source_alone, json_schema_input_type=str | DataOptions)] = Field(
        default=DataOptions(), description="the table, or the pictures; a text alone is its source"
    )
    metric: MetricsOption = Field(default=(), validate_default=False)
    validation: ValidationOptions = ValidationOptions()
    limits: LimitsOptions = LimitsOptions()
    search: SearchOptions = SearchOptions()
    features: FeatureOptions = FeatureOptions()
    compute: ComputeOptions = ComputeOptions()
    registry: RegistryOptions | None = Field(
        default=RegistryOptions(), description="where the best model is registered; null for nowhere"
    )
    tracking: TrackingOptions | None = Field(
        default=TrackingOptions(), description="where runs are mirrored to; null for nowhere"
    )
    retention: RetentionOptions = RetentionOptions()
    seed: int = Field(default=0, ge=0, lt=2**32, description="everything random derives from it")
    workspace: str | None = Field(default=None, description="where everything is kept; by default $AUTOML_HOME")
    format_version: Annotated[int, AfterValidator(_check_format)] = Field(
        default=FORMAT_VERSION, ge=1, description="of this file"
    )

    @model_validator(mode="before")
    @classmethod
    def _own_metric(cls, values: Any) -> Any:
        """``metric: null`` is how a record says that the task's own metric decides."""
        if isinstance(values, Mapping) and "metric" in values and values["metric"] is None:
            return {key: value for key, value in values.items() if key != "metric"}
        return values

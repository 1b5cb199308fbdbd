"""The options that a user may write under ``metric``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from automl.options import Options

__all__ = ["MetricOptions", "MetricsOption"]

Goal = Literal["maximize", "minimize"]


class MetricOptions(Options):
    """A metric by name. The goal is known for automl's own metrics; a command's has to be given."""

    name: str = Field(min_length=1, description="a metric's name, such as roc_auc, log_loss, rmse or AUC_weighted")
    goal: Goal | None = Field(default=None, description="needed for metrics that automl does not know")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError("name at least one metric, or leave the key out")
        return value
    return [value]


def _distinct(value: tuple[MetricOptions, ...]) -> tuple[MetricOptions, ...]:
    names = [metric.name for metric in value]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is named twice")
    return value


_ONE: Mapping[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"name": {"type": "string"}, "goal": {"enum": ["maximize", "minimize"]}},
            "required": ["name"],
            "additionalProperties": False,
        },
    ]
}

MetricsOption = Annotated[
    tuple[MetricOptions, ...],
    Field(min_length=1),
    BeforeValidator(_as_list),
    AfterValidator(_distinct),
    WithJsonSchema(
        {
            "anyOf": [*_ONE["anyOf"], {"type": "array", "items": dict(_ONE), "minItems": 1}],
            "description": "a metric, {name, goal}, or a list of them: the first decides, all are logged",
        }
    ),
]
"""One metric or several, always read as a tuple: the first decides, all are logged."""

"""The options of registration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from automl.options import Options
from automl.registry.names import check_name

__all__ = ["RegistryOptions"]


def _check_tags(tags: dict[str, str | int | float | bool]) -> dict[str, str | int | float | bool]:
    for key in tags:
        if key.startswith(("automl.", "mlflow.")):
            raise ValueError(f"the tag {key!r} is reserved: a key must not begin with 'automl.' or 'mlflow.'")
    return tags


class RegistryOptions(Options):
    """The group ``registry`` of an experiment. `null` instead of it switches registration off."""

    name: Annotated[str, AfterValidator(check_name)] | None = Field(
        default=None, description="name of the registered model; default: the experiment's name"
    )
    promote: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="when the alias 'champion' moves to the new version; auto: if it is better on the same split",
    )
    tags: Annotated[dict[str, str | int | float | bool], AfterValidator(_check_tags)] = Field(
        default={}, description="tags of the new version"
    )
    description: str | None = Field(default=None, description="description of the new version")

"""What a user may say about registration."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from automl.options import Options

__all__ = ["RegistryOptions"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,199}")


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name != name.strip():
        raise ValueError(
            f"{name!r} cannot name a registered model: use letters, digits, '.', '_', '-' and spaces between them, "
            "beginning with a letter or a digit"
        )
    return name


def _check_tags(tags: dict[str, str | int | float | bool]) -> dict[str, str | int | float | bool]:
    for key in tags:
        if key.startswith(("automl.", "mlflow.")):
            raise ValueError(f"the tag {key!r} is reserved: a key must not begin with 'automl.' or 'mlflow.'")
    return tags


class RegistryOptions(Options):
    """The group ``registry`` of an experiment. `null` instead of it switches registration off."""

    name: Annotated[str, AfterValidator(_check_name)] | None = Field(
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

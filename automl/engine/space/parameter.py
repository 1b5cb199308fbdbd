"""A parameter in a space file: one of four types, told apart by its `type`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from automl.engine.space.base import BaseParameter, json_text
from automl.engine.space.categorical import CategoricalParameter
from automl.engine.space.normal import NormalParameter
from automl.engine.space.ranges import FloatParameter, IntParameter

__all__ = [
    "BaseParameter",
    "CategoricalParameter",
    "FloatParameter",
    "IntParameter",
    "NormalParameter",
    "Parameter",
    "json_text",
]

Parameter = Annotated[
    FloatParameter | IntParameter | CategoricalParameter | NormalParameter,
    Field(discriminator="type"),
]

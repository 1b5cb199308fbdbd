"""The options that a user may write under ``data``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from automl.options import Options

__all__ = ["DataOptions"]

_TEXT_OR_NULL: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
Source = Annotated[Any, WithJsonSchema(_TEXT_OR_NULL)]
"""A catalogue name, a path or a URL; from Python also a table, an array, or (X, y)."""
Role = Annotated[Any, WithJsonSchema(_TEXT_OR_NULL)]
"""A column's name; from Python also an array with a value per row."""


def _height_and_width(value: Any) -> Any:
    """``32`` is short for ``[32, 32]``."""
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


_SMALLEST, _LARGEST = 4, 1024
_Side = Annotated[int, Field(ge=_SMALLEST, le=_LARGEST)]
ImageSize = Annotated[
    tuple[_Side, _Side], BeforeValidator(_height_and_width, json_schema_input_type=int | tuple[int, int])
]
"""Pixels: one number for a square, or height and width."""


class DataOptions(Options):
    """The source of the data, and the columns that have a role of their own."""

    source: Source = Field(
        default=None, description="a dataset of the catalogue, a path or a URL (CSV, TSV, Parquet), a folder of images"
    )
    target: str | None = Field(default=None, description="the column to predict")
    test: Source = Field(default=None, description="a path or URL of rows that are only scored, never trained on")
    weight: Role = Field(default=None, description="the column that says how much a row counts")
    group: Role = Field(default=None, description="the column whose rows are never split between train and validation")
    time: Role = Field(default=None, description="the column that orders the rows")
    positive_label: str | bool | int | float | None = Field(
        default=None, description="the class that binary metrics speak of"
    )
    directory: str | None = Field(
        default=None,
        description="a folder with one folder per dataset of images, read in place; by default $AUTOML_DATA_DIR",
    )
    image_size: ImageSize | None = Field(
        default=None,
        description="height and width to resize pictures to; by default their own up to 128, or 64 if they differ",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_source(cls, value: Any) -> Any:
        """``data: churn.csv`` is short for ``data: {source: churn.csv}``; so is a table or (X, y) from Python."""
        return value if isinstance(value, Mapping | DataOptions) else {"source": value}

    @field_validator("target", mode="before")
    @classmethod
    def _name_of_number(cls, value: Any) -> Any:
        """Frames without names have numbered columns."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("directory", mode="before")
    @classmethod
    def _text_of_path(cls, value: Any) -> Any:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

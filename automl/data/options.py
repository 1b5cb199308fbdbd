"""What a user may write under ``data``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from automl.options import Options

__all__ = ["DataOptions"]

_TEXT_OR_NULL: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
Source = Annotated[Any, WithJsonSchema(_TEXT_OR_NULL)]
"""A catalogue name, a path or a URL; from Python also a table, an array, or (X, y)."""
Role = Annotated[Any, WithJsonSchema(_TEXT_OR_NULL)]
"""A column's name; from Python also an array with a value per row."""


class DataOptions(Options):
    """Where the data comes from, and which columns have a role of their own."""

    source: Source = Field(default=None, description="a dataset of the catalogue, a path or a URL (CSV, TSV, Parquet)")
    target: str | None = Field(default=None, description="the column to predict")
    test: Source = Field(default=None, description="a path or URL of rows that are only scored, never trained on")
    weight: Role = Field(default=None, description="the column that says how much a row counts")
    group: Role = Field(default=None, description="the column whose rows are never split between train and validation")
    time: Role = Field(default=None, description="the column that orders the rows")
    positive_label: str | bool | int | float | None = Field(
        default=None, description="the class that binary metrics speak of"
    )
    directory: str | None = Field(default=None, description="a folder of images")

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

    @field_validator("directory")
    @classmethod
    def _no_images_yet(cls, value: str | None) -> str | None:
        if value is not None:
            raise ValueError("folders of images cannot be read yet; write 'source' with a table")
        return value

"""The options that a user may write about the columns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl.options import Options

__all__ = ["FeatureOptions"]


class FeatureOptions(Options):
    columns: dict[str, Literal["numeric", "categorical", "boolean", "date", "text"]] = Field(
        default={}, description="kinds of columns, where the detected one is wrong"
    )
    drop: tuple[str, ...] = Field(default=(), description="columns that are left out")

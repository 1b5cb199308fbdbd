"""The options of tracking."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from automl.options import Options

__all__ = ["TrackingOptions"]


def _check_uri(uri: str) -> str:
    if not uri.strip():
        raise ValueError("the tracking URI is empty; leave it out for sqlite in the workspace")
    return uri


class TrackingOptions(Options):
    """The group ``tracking`` of an experiment. `null` instead of it switches the mirror off."""

    uri: Annotated[str, AfterValidator(_check_uri)] | None = Field(
        default=None,
        description="any MLflow tracking URI; default: the sqlite database mlflow.db in the workspace",
    )

"""The record of a version, and of which version is the champion: written once, whole, read in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from automl.engine.workspace.atomic import FORMAT_VERSION, read_json, write_text
from automl.errors import DamagedFileError
from automl.registry.candidate import Origin

__all__ = ["Followed", "Pointer", "Registration", "read_record", "write_record"]

Record = TypeVar("Record", bound=BaseModel)


class Registration(Origin):
    """The content of registration.json.

    Attributes:
        version: its number, from 1.
        experiment: ``name/id`` in the workspace.
        model: sha256 over the trial's model files: the same model is not registered twice.
        example: name of the file with example rows.
        predictions: labels or values that the models, loaded back from their files, predict for the example; None
            where there was no time to look.
        signature: what goes in and what comes out, see `automl.registry.signature`.
        needs: modules that have to be on the path where it is loaded: they could not be made part of it.
        created: UTC, ISO 8601.
    """

    format_version: int = FORMAT_VERSION
    version: int = Field(ge=1)
    experiment: str
    model: str
    example: str
    predictions: tuple[bool | int | float | str, ...] | None = None
    signature: dict[str, Any]
    needs: tuple[str, ...] = ()
    created: str

    @property
    def title(self) -> str:
        return f"{self.name} version {self.version}"


class Pointer(BaseModel):
    """The content of champion.json.

    Attributes:
        version: the champion's number.
        by_hand: a user has said so; otherwise it was the better one.
        since: UTC, ISO 8601.
    """

    model_config = ConfigDict(frozen=True)

    format_version: int = FORMAT_VERSION
    version: int = Field(ge=1)
    by_hand: bool = False
    since: str


class Followed(BaseModel):
    """The state of a version in MLflow: mlflow.json beside its record, which was there before.

    Attributes:
        uri: the store, without credentials.
        version: its number there; None if MLflow refused the model for good.
        run_id: of the run that the model is attached to.
        problem: why there is none, or what is odd about it.
    """

    model_config = ConfigDict(frozen=True)

    format_version: int = FORMAT_VERSION
    uri: str
    version: str | None = None
    run_id: str | None = None
    problem: str = ""


def read_record(kind: type[Record], path: Path) -> Record:
    """Read what `write_record` left.

    Raises:
        WorkspaceError: it is not there, or was written by a newer automl.
        DamagedFileError: it is damaged. Says where.
    """
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DamagedFileError(f"{path} is damaged: {where}: {first['msg']}.") from error


def write_record(path: Path, record: BaseModel) -> None:
    write_text(path, record.model_dump_json(indent=1))

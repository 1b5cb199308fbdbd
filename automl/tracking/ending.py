"""The end of an experiment as MLflow is told of it: written before the mirror is asked, for it to be rebuilt from."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from automl.engine.workspace.atomic import FORMAT_VERSION, check_format, read_json, write_text
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import DamagedFileError
from automl.validation_errors import in_short

__all__ = ["Ending", "read_ending", "write_ending"]


class Ending(BaseModel):
    """The last word on an experiment.

    Attributes:
        winner: the folder of what won, from the experiment's directory: its final metrics are the experiment's, and its
            small files are kept as artifacts.
        files: further small files to keep with the experiment (a leaderboard), as paths relative to its directory.
        tags: further tags of the experiment's run (why the search stopped).
    """

    model_config = ConfigDict(frozen=True)

    format_version: int = FORMAT_VERSION
    winner: str | None = None
    files: tuple[str, ...] = ()
    tags: dict[str, str] = {}


def write_ending(experiment: ExperimentDirectory, ending: Ending) -> None:
    write_text(_path(experiment), ending.model_dump_json(indent=1))


def read_ending(experiment: ExperimentDirectory) -> Ending | None:
    """Read what `write_ending` left; None for an experiment that has not ended.

    Raises:
        WorkspaceError: it was written by a newer automl, or is damaged.
    """
    path = _path(experiment)
    if not path.exists():
        return None
    value = read_json(path)
    check_format(value, path)
    try:
        return Ending.model_validate(value)
    except ValueError as error:
        raise DamagedFileError(f"{path} does not say how an experiment ended: {in_short(error)}.") from error


def _path(experiment: ExperimentDirectory) -> Path:
    return experiment.path / "ending.json"

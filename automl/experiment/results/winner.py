"""The winner of a search: what is delivered, registered, tested and replayed."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat

from automl.engine.trial.contract import TrialResult
from automl.engine.trial.records import read_result
from automl.engine.workspace.layout import ExperimentDirectory, TrialDirectory

__all__ = ["Winner"]


def _inside(files: str) -> str:
    """Whoever wrote the result: no model of another place is loaded, and no file of one goes to MLflow."""
    path = PurePosixPath(files)
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise ValueError("a folder in the experiment's directory is needed")
    return files


class Winner(BaseModel):
    """The model that a search delivers, as result.json names it: a trial's, or one that is made of several trials.

    Attributes:
        title: its name in sentences, such as ``trial 7``.
        files: path of its folder, relative to the experiment's directory, with a record and models as a trial's has.
        trials: numbers of the trials that it is made of; their models are needed.
        value: the primary metric in its own sign.
        because: why it was picked, as a sentence; empty where it simply has the best score of all.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    files: Annotated[str, AfterValidator(_inside)]
    trials: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    value: FiniteFloat
    because: str = ""

    @classmethod
    def of(cls, result: TrialResult, directory: ExperimentDirectory, because: str = "") -> Self:
        """A trial that wins."""
        assert result.value is not None
        place = directory.trial(result.number).path
        return cls(
            title=f"trial {result.number}",
            files=place.relative_to(directory.path).as_posix(),
            trials=(result.number,),
            value=result.value,
            because=because,
        )

    @property
    def trial(self) -> int | None:
        """Number of the trial that it is; None for one that is made of several."""
        return self.trials[0] if len(self.trials) == 1 else None

    def place(self, directory: ExperimentDirectory) -> TrialDirectory:
        """The directory of its files."""
        return TrialDirectory(directory.path / self.files)

    def read(self, directory: ExperimentDirectory) -> TrialResult | None:
        """Its record; None if that is missing or damaged."""
        return read_result(self.place(directory))

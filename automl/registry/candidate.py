"""A model that asks for a version, and the version it got."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from automl.engine.trial.objective import Objective
from automl.engine.workspace.layout import ExperimentDirectory
from automl.registry.names import check_name

__all__ = ["CHAMPION", "Candidate", "Origin", "RegisteredModel", "Score"]

CHAMPION = "champion"
"""The alias of the version to use: ``NAME@champion``."""


@dataclass(frozen=True)
class Score:
    """The value that a version is compared by.

    Attributes:
        share: of the full work that the model and its value are of.
        extent: what such a part is made of, in words.
    """

    objective: Objective
    value: float | None
    split_plan: str
    share: float = 1.0
    extent: str = ""


class Origin(BaseModel):
    """The origin of a model, complete enough to make it again: the same before and after it is registered."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    name: Annotated[str, AfterValidator(check_name)] = Field(description="of the registered model")
    trial: int | None = Field(default=None, description="number of the trial it comes from; None for an ensemble")
    task: str = "classification"
    metric: str = Field(description="name of the primary metric")
    maximize: bool = True
    value: float | None = None
    extent: str = Field(default="", description="what the model is made of, where its trial did not reach its end")
    share: float = Field(default=1.0, description="of the full work that the model and the value cover")
    data_fingerprint: str = ""
    split_plan: str = Field(default="", description="hash of the split plan that the value was measured on")
    seed: int | None = None
    framework: str = Field(default="scikit-learn", description="distribution that fits the model")
    packages: dict[str, str] = Field(default={}, description="distribution -> version: all that loading it needs")
    promote: Literal["auto", "always", "never"] = "auto"
    tags: dict[str, str | int | float | bool] = {}
    description: str | None = None
    tracking: str | None = Field(
        default=None, description="URI of the MLflow store that follows, without credentials; None: the workspace's own"
    )

    @property
    def score(self) -> Score:
        return Score(Objective(self.metric, self.maximize), self.value, self.split_plan, self.share, self.extent)

    @property
    def framework_version(self) -> str:
        return self.packages.get(self.framework, "")


class Candidate(Origin):
    """Everything that registration needs to know. The model itself and the example rows stay on disk."""

    directory: Path = Field(description="of the experiment")
    models: Path = Field(description="a trial's models/ directory")
    check: Path = Field(description="what the models predict for the example, if they were checked")
    example: Path = Field(description="up to five raw rows or pictures, as the data left them")
    modules: tuple[str, ...] = Field(
        default=(), description="top-level modules that no distribution brings: they become part of the model"
    )

    @property
    def experiment(self) -> ExperimentDirectory:
        return ExperimentDirectory(self.directory)


class RegisteredModel(BaseModel):
    """A version in the registry.

    Attributes:
        alias: ``champion`` if the version bears it.
        promoted: whether this very call has moved the alias.
        message: one line for people: what happened, and how to promote it if it was not.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    alias: str | None = None
    promoted: bool = False
    message: str = ""

    @property
    def uri(self) -> str:
        """The reference that `automl.load_model`, and MLflow once it has followed, load it by."""
        return f"models:/{self.name}/{self.version}"

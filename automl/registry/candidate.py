"""A model that asks for a version, and the version it got. Plain data: both pass through a pipe as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from automl.errors import RegistryError
from automl.workspace.layout import ExperimentDirectory

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from automl.data.table import Features

__all__ = ["CHAMPION", "Candidate", "RegisteredModel", "read_example", "write_example"]

CHAMPION = "champion"
"""The alias of the version to use: ``models:/NAME@champion``."""


class Candidate(BaseModel):
    """Everything that registration needs to know. The model itself and the example rows stay on disk."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    name: str = Field(description="of the registered model")
    directory: str = Field(description="of the experiment")
    trial: int | None = Field(default=None, description="number of the trial it comes from; None for an ensemble")
    model: str = Field(description="a trial's models/ directory, or a file that joblib reads")
    example: str = Field(description="up to five raw rows or pictures, as write_example() left them")
    expected: tuple[bool | int | float | str, ...] | None = Field(
        default=None, description="what the model in memory predicts for the example; None: not known here"
    )
    task: str = "classification"
    metric: str = Field(description="name of the primary metric")
    maximize: bool = True
    value: float | None = None
    data_fingerprint: str = ""
    split_plan: str = Field(default="", description="hash of the split plan that the value was measured on")
    seed: int | None = None
    framework: str = Field(default="scikit-learn", description="distribution that fits the model")
    packages: dict[str, str] = Field(default={}, description="distribution -> version: all that loading it needs")
    modules: tuple[str, ...] = Field(
        default=(), description="top-level modules that no distribution brings: they become part of the model"
    )
    promote: Literal["auto", "always", "never"] = "auto"
    tags: dict[str, str | int | float | bool] = {}
    description: str | None = None

    @property
    def experiment(self) -> ExperimentDirectory:
        return ExperimentDirectory(Path(self.directory))

    @property
    def framework_version(self) -> str:
        return self.packages.get(self.framework, "")


class RegisteredModel(BaseModel):
    """A version in the registry.

    Attributes:
        alias: ``champion`` if the version bears it.
        promoted: whether this very call has moved the alias.
        message: one line for people: what happened, and how to promote it if it was not.
        seconds: what each step took.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    alias: str | None = None
    promoted: bool = False
    message: str = ""
    seconds: dict[str, float] = {}

    @property
    def uri(self) -> str:
        """What MLflow loads it by."""
        return f"models:/{self.name}/{self.version}"

    @property
    def total_seconds(self) -> float:
        return sum(self.seconds.values())


def write_example(X: Features, path: Path) -> Path:
    """Write the first five rows of `X` to `path`, whose suffix this chooses, and return where they are.

    Parquet keeps dtypes and anybody can read it; what it cannot hold (mixed types in a column) goes into a pickle.
    Pictures are one array, ``.npy``.
    """
    from automl.data.images.images import Images  # here, since the driver's side of the mirror goes without NumPy

    if isinstance(X, Images):
        import numpy as np

        place = path.with_suffix(".npy")
        np.save(place, X.head(5).pixels)
        return place
    rows = X.head(5).reset_index(drop=True)
    try:
        rows.to_parquet(path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")
    except Exception:  # pyarrow has an error of its own for every kind of column
        path.with_suffix(".parquet").unlink(missing_ok=True)
        rows.to_pickle(path.with_suffix(".pkl"))
        return path.with_suffix(".pkl")


def read_example(path: Path) -> pd.DataFrame | np.ndarray:
    """The rows that `write_example` wrote, pictures as uint8 (n, height, width, channels); also JSON, in pandas'
    orientation "split".

    Raises:
        RegistryError: they cannot be read.
    """
    import numpy as np
    import pandas as pd

    readers: dict[str, Callable[[Path], pd.DataFrame | np.ndarray]] = {
        ".parquet": pd.read_parquet,
        ".pkl": pd.read_pickle,
        ".json": lambda path: pd.read_json(path, orient="split"),
        ".npy": lambda path: np.load(path, allow_pickle=False),
    }
    try:
        return readers[path.suffix](path)
    except Exception as error:
        raise RegistryError(f"Cannot read the example rows in {path}: {error}.") from error

"""A check that models, loaded back from their files, predict what they did in memory: of a trial, beside its record.

A registered model carries these predictions. Trials that may win are checked by the worker that has trained them: there
all libraries are imported, and a model whose loading crashes is a failed trial, not a failed registration.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from automl.engine.workspace.atomic import FORMAT_VERSION, read_json, write_text
from automl.errors import DamagedFileError
from automl.learning.ensemble.bag import load_bag

if TYPE_CHECKING:
    import pandas as pd

    from automl.learning.data.table import Features

__all__ = ["Check", "check_models", "plain_predictions", "read_check", "same_predictions", "write_check"]

_RELATIVE, _ABSOLUTE = 1e-3, 0.01
"""Within these it is the same model: nets compute in half precision on a GPU, compiled code rounds differently."""


class Check(BaseModel):
    """The result of a check.

    Attributes:
        predictions: labels or values for the example rows, by all models together, loaded from their files.
        problem: why they are not to be trusted, as a clause; empty if they are.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    format_version: int = FORMAT_VERSION
    predictions: tuple[bool | int | float | str, ...] = ()
    problem: str = ""


def check_models(models: Path, example: Features | pd.DataFrame | np.ndarray, told: np.ndarray | None = None) -> Check:
    """Load the models of a trial, and predict.

    Args:
        models: the trial's ``models/`` directory. Loading runs what it holds.
        example: a few raw rows or pictures.
        told: what the model of the first fold predicted for them in memory: probabilities (n, k) or values (n,).
    """
    from automl.learning.data.rows import as_rows

    try:
        bag = load_bag(models)
        if told is not None:
            again = bag.models[0].predict(as_rows(example, bag.columns_))
            if not same_predictions(told, again):
                return Check(problem="loaded back from its file it predicts something else")
        return Check(predictions=plain_predictions(bag.predict(example)))
    except Exception as error:  # unpickling and predicting run any code
        return Check(problem=f"it cannot be loaded back: {type(error).__name__}: {error}"[:500].rstrip("."))


def same_predictions(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Equal labels, or probabilities and values within rounding."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return False
    if ours.dtype.kind == "f" and theirs.dtype.kind in "fiu":
        size = np.nanmax(np.abs(ours), initial=0.0)
        tolerance = _ABSOLUTE if ours.ndim == 2 else _RELATIVE * float(size)
        return bool(np.allclose(ours, theirs.astype(float), rtol=_RELATIVE, atol=tolerance, equal_nan=True))
    return bool(np.array_equal(ours.astype(str), theirs.astype(str)))


def plain_predictions(values: Any) -> tuple[bool | int | float | str, ...]:
    """Labels and values as JSON has them."""
    plain = (value.item() if isinstance(value, np.generic) else value for value in np.asarray(values).ravel())
    return tuple(value if isinstance(value, bool | int | float | str) else str(value) for value in plain)


def write_check(path: Path, check: Check) -> None:
    write_text(path, check.model_dump_json(indent=1))


def read_check(path: Path) -> Check | None:
    """Return what `write_check` left; None if there is none, or it is damaged: models can be checked again.

    Raises:
        WorkspaceError: it was written by a newer automl.
    """
    if not path.exists():
        return None
    try:
        return Check.model_validate(read_json(path))
    except (DamagedFileError, ValueError):
        return None

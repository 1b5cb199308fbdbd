"""The files that a built-in trial leaves on disk."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.engine.workspace.atomic import write_json
from automl.engine.workspace.layout import TrialDirectory
from automl.learning.algorithms.pipeline import FittedPipeline
from automl.learning.metrics.predictions import choose_labels, confusion_matrix
from automl.learning.tasks.base import Target

if TYPE_CHECKING:
    from automl.learning.validation.folds import SplitPlan

__all__ = ["OOF", "OutOfFold", "model_name", "save_model", "write_confusion_matrix"]

OOF = "oof.npy"
"""Name of the file with the out-of-fold predictions, in a trial's directory."""


class OutOfFold:
    """Predictions for every row by the models that were not trained on it, one for each repeat.

    A mean over repeats would be an ensemble's prediction: what is chosen by it would look better than any trial, whose
    folds are scored one by one.

    Args:
        plan: the rows of every fold.
        n_classes: None for regression.

    Attributes:
        values: float32, (repeats, n, k) or (repeats, n); NaN where there is no prediction.
    """

    def __init__(self, plan: SplitPlan, n_classes: int | None) -> None:
        self._plan = plan
        of_each = () if n_classes is None else (n_classes,)
        self.values = np.full((plan.repeats, plan.n_rows, *of_each), np.nan, dtype=np.float32)

    def add(self, fold: int, predictions: np.ndarray, rows: np.ndarray | None = None) -> None:
        """Take in the predictions of a fold.

        Args:
            predictions: (m, k) or (m,).
            rows: positions of the rows predicted, (m,); None for all that the fold validates.
        """
        self.values[self._plan.repeat_of(fold), self._plan.folds[fold].valid if rows is None else rows] = predictions

    def restore(self, values: np.ndarray) -> None:
        """Take in what was saved earlier.

        Raises:
            ValueError: it is of another shape.
        """
        if values.shape != self.values.shape:
            raise ValueError(f"predictions of shape {values.shape}, not {self.values.shape}")
        self.values[:] = values

    @property
    def known(self) -> np.ndarray:
        """True where there is a prediction, (repeats, n)."""
        known: np.ndarray = ~np.isnan(self.values if self.values.ndim == 2 else self.values[:, :, 0])
        return known

    @property
    def count(self) -> int:
        """Number of predictions, each repeat's counted."""
        return int(np.count_nonzero(self.known))

    def save(self, place: TrialDirectory) -> None:
        np.save(place.path / OOF, self.values)


def model_name(fold: int) -> str:
    """Name of a fold's model in ``models/``."""
    return f"fold_{fold:02d}.joblib"


def save_model(place: TrialDirectory, name: str, pipeline: FittedPipeline) -> None:
    """Put a model into ``models/``, whole or not at all: a trial may be ended meanwhile, and keep those before."""
    place.models.mkdir(exist_ok=True)
    draft = place.path / f".{name}.{os.getpid()}.tmp"
    with open(draft, "wb") as file:
        # joblib.load reads it, and joblib.dump takes ten times as long for small models.
        pickle.dump(pipeline, file, protocol=5)
    os.replace(draft, place.models / name)


def write_confusion_matrix(outputs: Path, target: Target, oof: OutOfFold) -> None:
    """``confusion_matrix.json``: labels, and rows of the true by columns of the predicted class, from out of fold.

    Each repeat's predictions count, as they do in the score: a row counts as often as it is validated.
    """
    assert target.classes is not None
    known = oof.known
    predicted = choose_labels(oof.values[known], target.positive)
    truth = np.broadcast_to(target.values, known.shape)[known]
    matrix = confusion_matrix(truth, predicted, len(target.classes))
    labels: list[Any] = [label.item() if isinstance(label, np.generic) else label for label in target.classes]
    plain = [label if isinstance(label, str | int | float | bool) else str(label) for label in labels]
    write_json(outputs / "confusion_matrix.json", {"labels": plain, "matrix": matrix.astype(int).tolist()})

"""The files that a built-in trial leaves on disk."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from automl.engine.trial.partial import mean_of
from automl.engine.workspace.atomic import write_json
from automl.engine.workspace.layout import TrialDirectory
from automl.learning.algorithms.pipeline import FittedPipeline
from automl.learning.metrics.predictions import choose_labels, confusion_matrix
from automl.learning.tasks.base import Target

__all__ = ["OutOfFold", "model_name", "save_model", "write_confusion_matrix"]


class OutOfFold:
    """Predictions for every row by the models that were not trained on it.

    Args:
        n_rows: of the data.
        n_classes: None for regression.

    Attributes:
        sums: of the predictions of each row, (n, k) or (n,).
        counts: how many they are of, (n,).
    """

    def __init__(self, n_rows: int, n_classes: int | None) -> None:
        self.sums = np.zeros((n_rows,) if n_classes is None else (n_rows, n_classes))
        self.counts = np.zeros(n_rows)

    def add(self, rows: np.ndarray, predictions: np.ndarray) -> None:
        self.sums[rows] += predictions
        self.counts[rows] += 1

    @property
    def rows(self) -> np.ndarray:
        """Positions of the rows that have a prediction."""
        return np.flatnonzero(self.counts)

    def mean(self) -> np.ndarray:
        """float32, (n, k) or (n,): the mean over repeats; NaN for rows without a prediction."""
        return mean_of(self.sums, self.counts)


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
    """``confusion_matrix.json``: labels, and rows of the true by columns of the predicted class, from out of fold."""
    assert target.classes is not None
    rows = oof.rows
    predicted = choose_labels(oof.mean()[rows], target.positive)
    matrix = confusion_matrix(target.values[rows], predicted, len(target.classes))
    labels: list[Any] = [label.item() if isinstance(label, np.generic) else label for label in target.classes]
    plain = [label if isinstance(label, str | int | float | bool) else str(label) for label in labels]
    write_json(outputs / "confusion_matrix.json", {"labels": plain, "matrix": matrix.astype(int).tolist()})

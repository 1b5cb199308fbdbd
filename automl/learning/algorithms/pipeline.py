"""A fitted fold: features and the learner behind them, from raw columns to predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from automl.learning.algorithms.base import Learner
    from automl.learning.data.kinds import Column
    from automl.learning.data.table import Features
    from automl.learning.features.base import View

__all__ = ["FittedPipeline"]


@dataclass(frozen=True)
class FittedPipeline:
    """The result of one fold: everything that predicting needs, and nothing else.

    Attributes:
        columns: the raw columns, in the order of training.
        classes: labels in the order of their codes, shape (k,); None for regression.
        positive: code of the positive class, for two classes.
    """

    features: View
    learner: Learner
    columns: tuple[Column, ...]
    classes: np.ndarray | None = None
    positive: int = 1

    def predict(self, X: Features) -> np.ndarray:
        """Predict probabilities, float64 (n, k), or values, float64 (n,).

        Args:
            X: rows as `automl.learning.data.rows.as_rows` makes them.
        """
        return self.learner.predict(self.features.transform(X))

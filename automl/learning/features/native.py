"""The native view: what tree boosters take unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from automl.learning.features.categories import Vocabulary
from automl.learning.features.tables import TableView

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NativeView"]


class NativeView(TableView):
    """Raw columns to a float32 matrix: numbers as they are, categories as codes, NaN for missing and unknown.

    The one encoding that LightGBM, XGBoost, CatBoost and scikit-learn's histogram boosting all take. Codes count from
    0 in order of falling frequency, so a library with a limit on categories joins the rare ones by cutting off.
    """

    def fit(self, X: pd.DataFrame, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> NativeView:
        self._fit_numbers(X)
        numbers = self._numbers(X)
        self.empty_ = np.flatnonzero(np.isnan(numbers).all(axis=0)) if len(numbers) else np.arange(0)
        self.vocabularies_ = {name: Vocabulary(X[name]) for name in self._named("categorical")}
        self.feature_names_ = self.number_names_ + list(self.vocabularies_)
        self.categorical_indices_ = list(range(len(self.number_names_), len(self.feature_names_)))
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """float32, shape (n, len(feature_names_))."""
        result = np.empty((len(X), len(self.feature_names_)), dtype=np.float32)
        width = len(self.number_names_)
        result[:, :width] = self._numbers(X)
        result[:, self.empty_] = 0.0  # nothing was learned about it, and histogram boosting has no bins for it
        for at, (name, vocabulary) in enumerate(self.vocabularies_.items(), start=width):
            codes = vocabulary.codes(X[name])
            result[:, at] = np.where(codes < 0, np.nan, codes) if vocabulary.keys else 0.0
        return result

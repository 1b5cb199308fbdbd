"""The numeric view: what linear models, kernels, neighbours and nets need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from automl.learning.features.categories import Vocabulary
from automl.learning.features.tables import LARGEST, TableSettings, TableView
from automl.options import Options

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NumericView"]


class NumericSettings(TableSettings):
    max_levels: int = Field(default=50, ge=1, description="most categories of one column that stay apart")
    min_share: float = Field(
        default=0.002,
        ge=0,
        le=1,
        description="share of the training rows (two rows at least) that a category needs to stay apart",
    )


class NumericView(TableView):
    """Raw columns to a float64 matrix without gaps, numbers on one scale.

    Numbers are imputed by the median, with an indicator where training rows missed some, and standardised. Categories
    become one column each, beginning with the most frequent; rare ones share one, and a missing cell has its own if
    training rows had any. A category that was never seen counts as rare; with no rare ones, all its columns are 0.
    """

    Settings: ClassVar[type[Options]] = NumericSettings
    settings: NumericSettings

    def fit(self, X: pd.DataFrame, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> NumericView:
        self.fit_transform(X)
        return self

    def fit_transform(
        self, X: pd.DataFrame, y: np.ndarray | None = None, weight: np.ndarray | None = None
    ) -> np.ndarray:
        self._fit_numbers(X)
        numbers = self._numbers(X)
        self._fit_scale(numbers)
        most, share = self.settings.max_levels, self.settings.min_share
        self.levels_ = {name: _Levels(X[name], most, share) for name in self._named("categorical")}
        self.feature_names_ = [
            *self.number_names_,
            *(f"{self.number_names_[i]}:missing" for i in self.gaps_),
            *(f"{name}={level}" for name, levels in self.levels_.items() for level in levels.names),
        ]
        self.categorical_indices_ = []
        return self._assemble(X, numbers)

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """float64, shape (n, len(feature_names_))."""
        return self._assemble(X, self._numbers(X))

    def _fit_scale(self, numbers: np.ndarray) -> None:
        missing = np.isnan(numbers)
        self.gaps_ = np.flatnonzero(missing.any(axis=0))
        self.medians_ = np.median(numbers, axis=0) if len(numbers) else np.zeros(numbers.shape[1])
        for i in self.gaps_:
            known = numbers[~missing[:, i], i]
            self.medians_[i] = np.median(known) if len(known) else 0.0
        filled = np.where(missing, self.medians_, numbers) if len(self.gaps_) else numbers
        self.means_ = filled.mean(axis=0) if len(filled) else np.zeros(numbers.shape[1])
        spread = filled.std(axis=0) if len(filled) else np.ones(numbers.shape[1])
        # Rounding makes the deviation of a constant column tiny instead of 0.
        constant = ~(spread > 1e-12 * np.maximum(1.0, np.abs(self.means_)))
        self.scales_ = np.where(constant, 1.0, spread)

    def _assemble(self, X: pd.DataFrame, numbers: np.ndarray) -> np.ndarray:
        missing = np.isnan(numbers)
        filled = np.where(missing, self.medians_, numbers) if missing.any() else numbers
        blocks = [np.clip((filled - self.means_) / self.scales_, -LARGEST, LARGEST)]
        if len(self.gaps_):
            blocks.append(missing[:, self.gaps_].astype(np.float64))
        blocks += [levels.one_hot(X[name]) for name, levels in self.levels_.items()]
        return blocks[0] if len(blocks) == 1 else np.hstack(blocks)


class _Levels:
    """The columns that one categorical column becomes."""

    def __init__(self, column: pd.Series, max_levels: int, min_share: float) -> None:
        self._vocabulary = vocabulary = Vocabulary(column)
        fewest = max(2, math.ceil(min_share * len(column)))
        kept = min(int(np.sum(vocabulary.counts >= fewest)), max_levels)
        if kept == len(vocabulary.keys) - 1:
            kept += 1  # a group of one says less than its name
        self._kept = kept
        self._rare = len(vocabulary.keys) > kept
        self._gap = bool(column.isna().any())
        self.names = [*vocabulary.keys[:kept], *["(rare)"] * self._rare, *["(missing)"] * self._gap]

    def one_hot(self, column: pd.Series) -> np.ndarray:
        codes = self._vocabulary.codes(column)
        rare, gap = self._kept, self._kept + self._rare
        place = np.where((codes == -1) | (codes >= self._kept), rare if self._rare else -1, codes)
        place[codes == -2] = gap if self._gap else -1
        result = np.zeros((len(codes), len(self.names)))
        rows = np.flatnonzero(place >= 0)
        result[rows, place[rows]] = 1.0
        return result

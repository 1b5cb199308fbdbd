"""The base of the views of tables."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from automl.learning.features.base import View
from automl.options import Options

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LARGEST", "TableSettings", "TableView"]

LARGEST = 1e30
"""Numbers are cut off here: float32 still holds them, and float64 their squares."""


class TableSettings(Options):
    """The parameters of every view of tables: what dates and texts become."""

    dates: tuple[Literal["days", "year", "month", "day", "weekday", "hour"], ...] = Field(
        default=("days", "year", "month", "day", "weekday", "hour"),
        description="parts of a date (days: since 1970) that become numbers, where they vary; none: dates are left out",
    )
    words: int = Field(default=64, ge=0, description="words of a text column that are counted, the most frequent ones")


class TableView(View):
    """Raw columns to a matrix.

    The columns are clean (`automl.learning.data.align`): numbers, booleans, times in UTC, and text. Constant,
    identifier and unsupported ones are left out.

    Not a ColumnTransformer: that costs about 10 ms of pandas per call, and a small table is transformed thirty times in
    a trial of milliseconds.

    Attributes:
        feature_names_: names of the matrix's columns.
    """

    Settings: ClassVar[type[Options]] = TableSettings
    rows: ClassVar[str] = "tables"
    settings: TableSettings
    feature_names_: list[str]

    @abstractmethod
    def fit(self, X: pd.DataFrame, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> TableView: ...

    @abstractmethod
    def transform(self, X: pd.DataFrame) -> np.ndarray: ...

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        return np.array(self.feature_names_, dtype=object)

    def _named(self, kind: str) -> list[str]:
        return [column.name for column in self.columns if column.kind == kind]

    def _fit_numbers(self, X: pd.DataFrame) -> None:
        """Learn what the columns other than categories become: one block of numbers, the same in every view."""
        names = self._named("numeric") + self._named("boolean")
        self.dates_ = self.words_ = None
        if dates := self._named("date"):
            from automl.learning.features.dates import CalendarParts

            self.dates_ = CalendarParts(X, dates, self.settings.dates)
            names += self.dates_.names
        if texts := self._named("text"):
            from automl.learning.features.text import WordCounts

            self.words_ = WordCounts(X, texts, self.settings.words)
            names += self.words_.names
        self.number_names_ = names

    def _numbers(self, X: pd.DataFrame) -> np.ndarray:
        """float64, shape (n, len(number_names_)), NaN where missing."""
        plain = X[self._named("numeric") + self._named("boolean")]
        blocks = [plain.to_numpy(dtype=np.float64, na_value=np.nan)]
        blocks += [part.transform(X) for part in (self.dates_, self.words_) if part is not None]
        numbers = blocks[0] if len(blocks) == 1 else np.hstack(blocks)
        result: np.ndarray = np.clip(numbers, -LARGEST, LARGEST)
        return result

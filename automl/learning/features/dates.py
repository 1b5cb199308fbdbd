"""Dates to numbers: the parts of the calendar that vary, and the time line itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

__all__ = ["CalendarParts"]

_PARTS: dict[str, Callable[[pd.DatetimeIndex], np.ndarray]] = {
    "days": lambda times: np.asarray((times - pd.Timestamp(0)) / pd.Timedelta(days=1)),  # since 1970-01-01
    "year": lambda times: np.asarray(times.year),
    "month": lambda times: np.asarray(times.month),
    "day": lambda times: np.asarray(times.day),
    "weekday": lambda times: np.asarray(times.day_of_week),
    "hour": lambda times: np.asarray(times.hour + times.minute / 60),
}


class CalendarParts:
    """The parts of each date column that vary in the training rows; the first of `wanted` where none does.

    Args:
        wanted: names of parts: days, year, month, day, weekday, hour.

    Attributes:
        names: one per number that `transform` gives, as ``column:part``.
    """

    def __init__(self, X: pd.DataFrame, columns: Sequence[str], wanted: Sequence[str]) -> None:
        self._parts: list[tuple[str, tuple[str, ...]]] = []
        for column in columns:
            times = pd.DatetimeIndex(X[column]).dropna()
            varying = tuple(part for part in wanted if len(times) and np.ptp(_PARTS[part](times)) > 0)
            self._parts.append((column, varying or tuple(wanted[:1])))
        self.names = [f"{column}:{part}" for column, parts in self._parts for part in parts]

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """float64, shape (n, len(names)); NaN where the date is missing."""
        result = np.empty((len(X), len(self.names)))
        at = 0
        for column, parts in self._parts:
            times = pd.DatetimeIndex(X[column])
            for part in parts:
                result[:, at] = _PARTS[part](times)
                at += 1
        return result

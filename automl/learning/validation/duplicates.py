"""Rows that have a twin, found without comparing every cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl.learning.data.images.images import Images

if TYPE_CHECKING:
    import pandas as pd

    from automl.learning.data.table import Features

__all__ = ["twin_codes"]

_COLUMNS_AT_A_TIME = 4


def twin_codes(X: Features, *, most_cells: int = 40_000_000) -> NDArray[np.int64] | None:
    """For every row a number that it shares with the rows of the same values, -1 for rows without a twin.

    Pictures are hashed whole. Of a table a few columns at a time, and only with the rows that are still not unique: a
    column of measurements ends the work at once. Two rows count as equal when 64-bit hashes of all their values are.

    Args:
        most_cells: how many cells of a table may be hashed.

    Returns:
        shape (rows,); None where `most_cells` did not suffice to tell.
    """
    if isinstance(X, Images):
        _, codes, counts = np.unique(X.hashes(), return_inverse=True, return_counts=True)
        return np.where(counts[codes] > 1, codes, -1)
    n_rows = len(X)
    rows = np.arange(n_rows)
    keys = np.zeros(n_rows, dtype=np.uint64)
    cells = 0
    codes = np.zeros(n_rows, dtype=np.int64)
    columns = _columns_first(X)
    for start in range(0, len(columns), _COLUMNS_AT_A_TIME):
        for position in columns[start : start + _COLUMNS_AT_A_TIME]:
            cells += rows.size
            if cells > most_cells:
                return None
            column = X.iloc[:, position]
            keys = keys * np.uint64(0x9E3779B97F4A7C15) + _hashes(column if rows.size == n_rows else column.iloc[rows])
        _, codes, counts = np.unique(keys, return_inverse=True, return_counts=True)
        kept = counts[codes] > 1
        rows, keys, codes = rows[kept], keys[kept], codes[kept]
        if not rows.size:
            break
    result = np.full(n_rows, -1, dtype=np.int64)
    result[rows] = codes
    return result


def _columns_first(X: pd.DataFrame) -> list[int]:
    """Positions of all columns, those first that are fast to hash and tell rows apart best: floats, ints, the rest."""
    rank = {"f": 0, "i": 1, "u": 1, "M": 1}
    kinds = [getattr(dtype, "kind", "O") for dtype in X.dtypes]
    return sorted(range(len(kinds)), key=lambda position: rank.get(kinds[position], 2))


def _hashes(column: pd.Series[Any]) -> NDArray[np.uint64]:
    from pandas.util import hash_pandas_object

    try:
        return np.asarray(hash_pandas_object(column, index=False), dtype=np.uint64)
    except TypeError:  # lists and the like in cells
        return np.asarray(hash_pandas_object(column.astype(str), index=False), dtype=np.uint64)

"""Rows that have a twin, found without comparing every cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from automl.learning.data.form import form_of

if TYPE_CHECKING:
    from automl.learning.data.table import Features

__all__ = ["twin_codes"]

_PARTS_AT_A_TIME = 4


def twin_codes(X: Features, *, most_cells: int = 40_000_000) -> NDArray[np.int64] | None:
    """For every row a number that it shares with the rows of the same values, -1 for rows without a twin.

    Pictures are hashed whole. Of a table a few columns at a time, and only with the rows that are still not unique: a
    column of measurements ends the work at once. Two rows count as equal when 64-bit hashes of all their values are.

    Args:
        most_cells: how many cells of a table, or pictures, may be hashed.

    Returns:
        shape (rows,); None where `most_cells` did not suffice to tell.
    """
    n_rows = len(X)
    rows = np.arange(n_rows)
    keys = np.zeros(n_rows, dtype=np.uint64)
    cells = 0
    codes = np.zeros(n_rows, dtype=np.int64)
    parts = form_of(X).parts(X)
    for start in range(0, len(parts), _PARTS_AT_A_TIME):
        for part in parts[start : start + _PARTS_AT_A_TIME]:
            cells += rows.size
            if cells > most_cells:
                return None
            keys = keys * np.uint64(0x9E3779B97F4A7C15) + part(rows)
        _, codes, counts = np.unique(keys, return_inverse=True, return_counts=True)
        kept = counts[codes] > 1
        rows, keys, codes = rows[kept], keys[kept], codes[kept]
        if not rows.size:
            break
    result = np.full(n_rows, -1, dtype=np.int64)
    result[rows] = codes
    return result

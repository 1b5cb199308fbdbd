"""Categories to numbers: a vocabulary, most frequent first, learned from training rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["Vocabulary"]


class Vocabulary:
    """The categories of one column.

    Codes count from 0 in order of falling frequency (ties by name): cutting them off at any number keeps the
    most frequent categories apart and joins the rare ones.

    Attributes:
        keys: category names by code.
        counts: training rows of each.
    """

    def __init__(self, column: pd.Series) -> None:
        positions, found = pd.factorize(column)
        keys = [str(value) for value in found]
        counts = np.bincount(positions[positions >= 0], minlength=len(keys))
        order = sorted(range(len(keys)), key=lambda i: (-counts[i], keys[i]))
        self.keys = [keys[i] for i in order]
        self.counts = counts[order]
        self._code_of = {key: code for code, key in enumerate(self.keys)}

    def codes(self, column: pd.Series) -> np.ndarray:
        """Codes of the column's cells: int64, shape (n,); -1 for an unknown category, -2 for a missing cell."""
        positions, found = pd.factorize(column)
        table = np.array([self._code_of.get(str(value), -1) for value in found] + [-2], dtype=np.int64)
        codes: np.ndarray = table[positions]  # the position of a missing cell is -1: the last
        return codes

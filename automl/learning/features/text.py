"""Free text to numbers: its length, and how often the common words of the training rows occur in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["WordCounts"]

_COMMON = 0.5
"""Words in more than this share of the rows say little."""


class WordCounts:
    """Counts of words, on a logarithmic scale.

    Args:
        words: of each column that are counted, the most frequent ones.

    Attributes:
        names: one per number that `transform` gives, as ``column:characters`` or ``column:word=...``.
    """

    def __init__(self, X: pd.DataFrame, columns: Sequence[str], words: int) -> None:
        self._counters: list[tuple[str, Any]] = []
        self.names: list[str] = []
        for column in columns:
            counter = _fit_counter(_texts(X[column]), words)
            self._counters.append((column, counter))
            counted = [] if counter is None else [f"{column}:word={word}" for word in counter.get_feature_names_out()]
            self.names += [f"{column}:characters", f"{column}:words", *counted]

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """float64, shape (n, len(names))."""
        blocks: list[np.ndarray] = [np.empty((len(X), 0))]
        for column, counter in self._counters:
            texts = _texts(X[column])
            lengths = [(len(text), len(text.split())) for text in texts]
            blocks.append(np.array(lengths, dtype=np.float64).reshape(len(X), 2))
            if counter is not None:
                blocks.append(counter.transform(texts).toarray())
        result: np.ndarray = np.log1p(np.hstack(blocks))
        return result


def _fit_counter(texts: list[str], words: int) -> Any:
    if words == 0:
        return None
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(max_features=words, min_df=2, max_df=_COMMON, dtype=np.float64)
    try:
        return counter.fit(texts)
    except ValueError:  # no word is both repeated and uncommon
        return None


def _texts(column: pd.Series) -> list[str]:
    return [str(text) for text in column.fillna("")]

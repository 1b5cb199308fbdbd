"""The base of all views."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from automl.options import Options

if TYPE_CHECKING:
    from automl.learning.data.kinds import Column

__all__ = ["View"]


class View(TransformerMixin, BaseEstimator):
    """A transformer from raw rows to what a learner takes: a matrix, or for nets pictures as they are.

    It is scikit-learn's kind of transformer, and learns from the training rows of a fold alone.

    Args:
        columns: what the raw rows hold.
        settings: its parameters, an instance of `Settings`; None for the defaults.

    Attributes:
        Settings: the parameters that a search space may give it.
        rows: the rows that it takes, ``tables`` or ``pictures``: the word that their columns have for them.
        categorical_indices_: which of the matrix's columns hold codes of categories.

    Example:
        >>> import pandas as pd
        >>> from automl.learning.data.columns import detect_columns
        >>> class Missing(View):
        ...     rows = "tables"
        ...
        ...     def fit(self, X, y=None, weight=None):
        ...         self.names_ = [column.name for column in self.columns]
        ...         self.categorical_indices_ = []
        ...         return self
        ...
        ...     def transform(self, X):
        ...         return X[self.names_].isna().to_numpy(np.float32)
        ...
        ...     def get_feature_names_out(self, input_features=None):
        ...         return np.array([f"{name} is missing" for name in self.names_], dtype=object)
        >>> table = pd.DataFrame({"age": [31.0, None, 27.0]})
        >>> Missing(detect_columns(table)).fit_transform(table)
        array([[0.], [1.], [0.]], dtype=float32)
    """

    Settings: ClassVar[type[Options]] = Options
    rows: ClassVar[str]
    categorical_indices_: list[int]

    def __init__(self, columns: Sequence[Column], settings: Any = None) -> None:
        self.columns = columns
        self.settings = self.Settings() if settings is None else settings

    @abstractmethod
    def fit(self, X: Any, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> View:
        """Learn from the training rows, and return self.

        Args:
            X: raw rows: a DataFrame of clean columns (n, columns), or pictures, uint8 (n, height, width, channels).
            y, weight: as for `fit_transform`; None where only `X` is known.
        """

    def fit_transform(self, X: Any, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> np.ndarray:
        """The matrix of the training rows themselves, (n, d).

        Here that of `fit`, then `transform`. A view that learns from the target has seen the target of these very rows:
        one that encodes categories by it does well to leave out each row's own share.

        Args:
            y: the target of these rows as a learner gets it: codes of classes, or float64 values; (n,).
            weight: of each row, (n,); None for ones.
        """
        return self.fit(X, y, weight).transform(X)

    @abstractmethod
    def transform(self, X: Any) -> np.ndarray:
        """The matrix of raw rows as `fit` takes them, (n, d), with the same columns whatever the rows hold."""

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the matrix's columns, object (d,)."""

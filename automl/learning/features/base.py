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
    """Raw rows to what a learner takes: a matrix, or for nets pictures as they are.

    A scikit-learn transformer, learned from the training rows of a fold.

    Args:
        columns: what the raw rows hold.
        settings: its parameters, an instance of `Settings`; None for the defaults.

    Attributes:
        Settings: the parameters that a search space may give it.
        rows: what it is of: ``tables`` or ``pictures``, the word that its columns have for it.
        categorical_indices_: which of the matrix's columns hold codes of categories.
    """

    Settings: ClassVar[type[Options]] = Options
    rows: ClassVar[str]
    categorical_indices_: list[int]

    def __init__(self, columns: Sequence[Column], settings: Any = None) -> None:
        self.columns = columns
        self.settings = self.Settings() if settings is None else settings

    @abstractmethod
    def fit(self, X: Any, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> View: ...

    def fit_transform(self, X: Any, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> np.ndarray:
        """The matrix of the training rows themselves, (n, d).

        Here that of `fit` and `transform`. A view that learns from the target says more of these rows than of others
        then: one that encodes categories by it does well to leave out each row's own part.

        Args:
            y: the target of these rows as a learner gets it: codes of classes, or float64 values; (n,).
            weight: of each row, (n,); None for ones.
        """
        return self.fit(X, y, weight).transform(X)

    @abstractmethod
    def transform(self, X: Any) -> np.ndarray: ...

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the matrix's columns, object (d,)."""

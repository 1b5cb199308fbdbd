"""The fold models of a trial as one estimator: their predictions' mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from automl.errors import DataError, WorkspaceError
from automl.learning.algorithms.pipeline import FittedPipeline

if TYPE_CHECKING:
    from automl.learning.data.kinds import Column

__all__ = ["ClassifierBag", "RegressorBag", "load_bag"]


class _Bag(BaseEstimator):
    """The base of both bags.

    A bag is made of models that are fitted already: `fit` leaves it as it is, as scikit-learn's FrozenEstimator does,
    and a clone keeps its models.

    Args:
        models: fitted pipelines over the same raw columns.
        weights: of each model, shape (len(models),), not negative; None for equal ones.

    Attributes:
        feature_names_in_: names of the raw columns, object (d,); pictures are one.
        n_features_in_: their number.
    """

    def __init__(self, models: Sequence[FittedPipeline], weights: Sequence[float] | None = None) -> None:
        self.models = models
        self.weights = weights

    def fit(self, X: Any, y: Any = None) -> Self:
        """Nothing is left to learn: the models were fitted, each on its part of the rows."""
        return self

    @property
    def columns_(self) -> tuple[Column, ...]:
        return self.models[0].columns

    @property
    def feature_names_in_(self) -> np.ndarray:
        return np.array([column.name for column in self.columns_], dtype=object)

    @property
    def n_features_in_(self) -> int:
        return len(self.columns_)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _mean(self, X: Any) -> np.ndarray:
        from automl.learning.data.rows import as_rows

        rows = as_rows(X, self.columns_)
        if len(rows) == 0:
            raise DataError("There are no rows to predict.")
        weights = np.ones(len(self.models)) if self.weights is None else np.asarray(self.weights, dtype=np.float64)
        weights = weights / weights.sum()
        result: np.ndarray = sum(
            weight * model.predict(rows) for weight, model in zip(weights, self.models, strict=True) if weight > 0
        )
        return result


class ClassifierBag(ClassifierMixin, _Bag):
    """A classifier that gives the mean of its models' probabilities.

    Attributes:
        classes_: original labels, sorted; the columns of `predict_proba`.
    """

    @property
    def classes_(self) -> np.ndarray:
        classes = self.models[0].classes
        assert classes is not None
        return classes

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, float64 (n, k), columns in the order of `classes_`, rows summing to 1.

        Args:
            X: raw columns: a table (extra columns are ignored, order does not matter), or an array of the same width.
                Where pictures were learned from: pictures of any size, as paths, PIL images or arrays.

        Raises:
            DataError: columns are missing, something is not a picture, or there are no rows.
        """
        probabilities = self._mean(X)
        result: np.ndarray = probabilities / probabilities.sum(axis=1, keepdims=True)
        return result

    def predict(self, X: Any) -> np.ndarray:
        """Labels, shape (n,): the most likely class. See `predict_proba` for `X`."""
        from automl.learning.metrics.predictions import choose_labels  # the rule by which trials were scored

        labels: np.ndarray = self.classes_[choose_labels(self.predict_proba(X), self.models[0].positive)]
        return labels


class RegressorBag(RegressorMixin, _Bag):
    """A regressor that gives the mean of its models' values."""

    def predict(self, X: Any) -> np.ndarray:
        """Values, float64 (n,).

        Args:
            X: raw columns: a table (extra columns are ignored, order does not matter), or an array of the same width.

        Raises:
            DataError: columns are missing, or there are no rows.
        """
        return self._mean(X)


def load_bag(directory: Path) -> ClassifierBag | RegressorBag:
    """The bag of a trial's ``models/`` directory. A pickle is as trusted as code: load only what you have made.

    Raises:
        WorkspaceError: there are no models in it, or one cannot be read.
    """
    import joblib

    files = sorted(directory.glob("fold_*.joblib"))
    if not files:
        raise WorkspaceError(f"{directory} holds no models.")
    models: list[FittedPipeline] = []
    for file in files:
        try:
            models.append(joblib.load(file))
        except Exception as error:  # a damaged pickle can raise anything
            raise WorkspaceError(f"Cannot read the model {file}: {type(error).__name__}: {error}.") from error
    return RegressorBag(models) if models[0].classes is None else ClassifierBag(models)

"""Small tables that are as untidy as real ones: what the algorithm suite lets an algorithm learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from automl.learning.data.load import load_table
from automl.learning.data.options import DataOptions
from automl.learning.features.views import ViewChoice, make_features, view_key

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SmallTable", "small_tables"]

_ROWS, _TRAIN = 150, 100


@dataclass(frozen=True)
class SmallTable:
    """A table in a view of it, split in two.

    Attributes:
        train, valid: matrices, shapes (100, d) and (50, d); ``native`` ones have gaps.
        categorical: columns of them that hold codes of categories.
        y_train, y_valid: class codes or values.
        n_classes: None for regression.
    """

    name: str
    train: np.ndarray
    valid: np.ndarray
    categorical: tuple[int, ...]
    y_train: np.ndarray
    y_valid: np.ndarray
    n_classes: int | None = None

    def error(self, predicted: np.ndarray) -> float:
        """Share of wrong classes, or mean squared error of values, over the validation rows."""
        if self.n_classes is None:
            return float(np.mean((predicted - self.y_valid) ** 2))
        return float(np.mean(predicted.argmax(axis=1) != self.y_valid))

    def error_of_a_constant(self) -> float:
        """The same for a prediction that knows the training rows' target alone."""
        if self.n_classes is None:
            return self.error(np.full(len(self.y_valid), self.y_train.mean()))
        shares = np.bincount(self.y_train, minlength=self.n_classes)
        return self.error(np.broadcast_to(shares, (len(self.y_valid), self.n_classes)))


_MADE: dict[tuple[str, str], tuple[SmallTable, ...]] = {}


def small_tables(task: str, view: ViewChoice) -> tuple[SmallTable, ...]:
    """Two and three classes for ``classification``, values for ``regression``; made once."""
    key = (task, view_key(view))
    if key not in _MADE:
        kinds = (("values", None),) if task == "regression" else (("two classes", 2), ("three classes", 3))
        _MADE[key] = tuple(_small_table(name, n_classes, view) for name, n_classes in kinds)
    return _MADE[key]


def _small_table(name: str, n_classes: int | None, view: ViewChoice) -> SmallTable:
    frame, latent = _table()
    y: np.ndarray
    if n_classes is None:
        y = 1000.0 + 50.0 * latent
    else:
        y = np.searchsorted(np.quantile(latent, np.arange(1, n_classes) / n_classes), latent)
    table = load_table(frame.assign(y=y), DataOptions(target="y"), task="classification" if n_classes else "regression")
    train, valid = table.X.take(range(_TRAIN)), table.X.take(range(_TRAIN, _ROWS))
    features = make_features(view, table.columns)
    return SmallTable(
        name=name,
        train=features.fit_transform(train, y[:_TRAIN]),
        valid=features.transform(valid),
        categorical=tuple(features.categorical_indices_),
        y_train=y[:_TRAIN],
        y_valid=y[_TRAIN:],
        n_classes=n_classes,
    )


def _table() -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers of very different size, gaps, a truth value, categories of which one is new among the last rows; and
    what the target is made of.
    """
    import pandas as pd

    draw = np.random.default_rng(0)
    a, b, odd = draw.normal(size=_ROWS), draw.normal(size=_ROWS), draw.integers(0, 2, _ROWS)
    kind = draw.integers(0, 4, _ROWS)
    colours = np.array(["red", "green", "blue", "white"], dtype=object)[kind]
    colours[-5:] = "black"
    colours[::19] = None
    latent = 2 * a + b + 3.0 * odd + 0.5 * kind + 0.1 * draw.normal(size=_ROWS)
    large = 1e6 * b
    large[::17] = np.nan
    return pd.DataFrame({"a": a, "large": large, "odd": odd == 1, "colour": colours}), latent

"""X, y and sample_weight as scikit-learn's estimators take them: what `automl.fit` would repair is refused here."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from automl.errors import DataError
from automl.learning.data.frames import as_frame, as_series
from automl.learning.data.load import MIN_ROWS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["as_features", "counted_samples"]


_PICTURES = "If these are pictures, automl.fit(task='image_classification', data=(X, y)) learns from them."
_HINTS = {
    1: "Reshape your data: X.reshape(-1, 1) if this is a single feature, X.reshape(1, -1) if a single row.",
    3: _PICTURES,
    4: _PICTURES,
}
"""Advice on an array of so many dimensions."""


def as_features(X: Any) -> pd.DataFrame:
    """`X`, shape (n, d), as a frame.

    Raises:
        DataError: it is not a table, or holds no columns or complex numbers.
    """
    try:
        frame = as_frame(X)
    except DataError as error:
        hint = _HINTS.get(getattr(X, "ndim", 0))
        if hint is None:
            raise
        raise DataError(f"{error} {hint}") from error
    if not len(frame.columns):
        raise DataError(f"X has 0 feature(s) (shape={frame.shape}) while a minimum of 1 is required.")
    if any(dtype.kind == "c" for dtype in frame.dtypes):
        raise DataError("Complex data not supported: X holds complex numbers.")
    return frame


def counted_samples(
    frame: pd.DataFrame, y: Any, sample_weight: Any
) -> tuple[pd.DataFrame, pd.Series, np.ndarray | None]:
    """Features, target and weights of the rows that count: those of weight 0 are as good as left out.

    Args:
        frame: features, shape (n, d).
        y: one label or value per row, none missing.
        sample_weight: one number per row, one for all, or None.

    Raises:
        DataError: they are not equally many or too few, or their values cannot be used.
    """
    target, weight = _target(y), _weight(sample_weight, len(frame))
    for name, values in (("y", target), ("sample_weight", weight)):
        if values is not None and len(values) != len(frame):
            raise DataError(f"X has {len(frame):,} rows and {name} has {len(values):,}; they must be equally many.")
    if weight is not None and weight.any() and not weight.all():
        counts = weight != 0
        frame, target, weight = frame[counts], target[counts], weight[counts]
    if len(frame) < MIN_ROWS:
        found = "1 sample" if len(frame) == 1 else f"{len(frame)} samples"
        raise DataError(f"Found {found} to learn from; at least {MIN_ROWS} are needed, and hundreds are better.")
    return frame, target, weight


def _target(y: Any) -> pd.Series:
    import numpy as np

    series = as_series(y, what="target")
    if getattr(y, "ndim", 1) == 2:
        from sklearn.exceptions import DataConversionWarning

        message = "A column-vector y was passed when a 1d array was expected; y.ravel() makes one of it."
        warnings.warn(message, DataConversionWarning, stacklevel=4)
    if series.dtype.kind == "c":
        raise DataError("Complex data not supported: y holds complex numbers.")
    missing = int(series.isna().sum())
    if missing:
        raise DataError(f"Input y contains NaN: leave out the {missing:,} rows without a label or value.")
    if series.dtype.kind == "f" and np.isinf(series.to_numpy(dtype=np.float64)).any():
        raise DataError("Input y contains infinity: correct these rows, or leave them out.")
    return series


def _weight(sample_weight: Any, rows: int) -> np.ndarray | None:
    import numpy as np

    if sample_weight is None:
        return None
    try:
        weight = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"sample_weight must hold one number per row: {str(error).rstrip('.')}.") from error
    if weight.ndim > 1:
        raise DataError(f"sample_weight must hold one number per row; this one has shape {weight.shape}.")
    return np.full(rows, weight) if weight.ndim == 0 else weight

"""A few raw rows or pictures on disk: what a registered model is checked on, and shows what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automl.learning.data.table import Features

__all__ = ["write_example"]


def write_example(X: Features, path: Path) -> Path:
    """Write the first five rows of `X` to `path`, whose suffix this chooses, and return where they are.

    Parquet keeps dtypes and anything can read it; what it cannot hold (mixed types in a column) goes into a pickle.
    Pictures are one array, ``.npy``.
    """
    from automl.learning.data.images.images import Images

    if isinstance(X, Images):
        import numpy as np

        place = path.with_suffix(".npy")
        np.save(place, X.head(5).pixels)
        return place
    rows = X.head(5).reset_index(drop=True)
    try:
        rows.to_parquet(path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")
    except Exception:  # pyarrow has its own error for every kind of column
        path.with_suffix(".parquet").unlink(missing_ok=True)
        rows.to_pickle(path.with_suffix(".pkl"))
        return path.with_suffix(".pkl")

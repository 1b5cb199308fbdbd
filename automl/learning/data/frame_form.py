"""Rows of a table, in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.learning.data.form import Form
from automl.learning.data.kinds import Column
from automl.learning.data.whole_file import read_parquet, write_parquet

if TYPE_CHECKING:
    import pandas as pd

    from automl.learning.data.form import RowHashes

__all__ = ["FrameForm"]


class FrameForm(Form):
    """A frame with one column for each feature."""

    file = "features.parquet"

    def layout(self, X: pd.DataFrame) -> str:
        return "\x1f".join(f"{name}\x1e{dtype}" for name, dtype in X.dtypes.items())

    def hashes(self, X: pd.DataFrame) -> np.ndarray:
        """See `Form.hashes`. `pandas.util.hash_pandas_object` hashes content with a fixed key."""
        import pandas as pd

        hashes: np.ndarray = pd.util.hash_pandas_object(X, index=False).to_numpy(dtype=np.uint64)
        return hashes

    def parts(self, X: pd.DataFrame) -> Sequence[RowHashes]:
        """One part for each column: floats, ints, the rest."""
        rank = {"f": 0, "i": 1, "u": 1, "M": 1}
        kinds = [getattr(dtype, "kind", "O") for dtype in X.dtypes]
        first = sorted(range(len(kinds)), key=lambda position: rank.get(kinds[position], 2))
        return [partial(_column_hashes, X.iloc[:, position]) for position in first]

    def single_columns(self, X: pd.DataFrame) -> pd.DataFrame:
        return X

    def concat(self, first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        return pd.concat([first, second], ignore_index=True)

    def align(self, X: Any, columns: Sequence[Column]) -> pd.DataFrame:
        from automl.learning.data.align import align_frame

        return align_frame(X, columns)

    def describe(self, columns: Sequence[Column], n_rows: int) -> dict[str, str]:
        return {}

    def write(self, X: pd.DataFrame, directory: Path) -> None:
        write_parquet(X, directory / self.file)

    def read(self, directory: Path) -> pd.DataFrame:
        return read_parquet(directory / self.file)

    def write_example(self, X: pd.DataFrame, path: Path) -> Path:
        """Parquet keeps dtypes and anything can read it; what it cannot hold (mixed types in a column) is pickled."""
        rows = X.reset_index(drop=True)
        try:
            rows.to_parquet(path.with_suffix(".parquet"))
            return path.with_suffix(".parquet")
        except Exception:  # pyarrow has its own error for every kind of column
            path.with_suffix(".parquet").unlink(missing_ok=True)
            rows.to_pickle(path.with_suffix(".pkl"))
            return path.with_suffix(".pkl")


def _column_hashes(column: pd.Series[Any], rows: np.ndarray) -> np.ndarray:
    from pandas.util import hash_pandas_object

    cells = column if rows.size == len(column) else column.iloc[rows]
    try:
        return np.asarray(hash_pandas_object(cells, index=False), dtype=np.uint64)
    except TypeError:  # lists and the like in cells
        return np.asarray(hash_pandas_object(cells.astype(str), index=False), dtype=np.uint64)

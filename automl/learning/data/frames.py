"""Any table in memory as a pandas DataFrame, and any sequence of values as a Series."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from automl.errors import DataError
from automl.learning.data.names import as_names

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["as_frame", "as_series", "first_name", "has_own_names", "is_sparse"]

DENSE_CELLS = 50_000_000
"""Cells up to which a sparse matrix is written out: 400 MB as float64."""


def is_sparse(value: object) -> bool:
    """True for SciPy's sparse matrices and arrays."""
    return hasattr(value, "toarray") and hasattr(value, "nnz")


def as_frame(value: Any) -> pd.DataFrame:
    """A table of any kind as a DataFrame; a DataFrame is returned unchanged.

    Takes pandas, polars and Arrow tables, whatever exports an Arrow stream or the DataFrame interchange protocol,
    mappings of columns, sequences of rows, 2-D arrays (columns ``x0``, ``x1``, ...) and sparse matrices.

    Raises:
        DataError: `value` is not a table.
    """
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return value
    if isinstance(value, pd.Series):
        raise DataError("A single column is not a table: pass a DataFrame, such as series.to_frame().")
    if is_sparse(value):
        return _from_sparse(value)
    try:
        frame = _from_protocol(value)
        if frame is None:
            frame = _from_values(value)
    except DataError:
        raise
    except Exception as error:  # every library has its own errors
        raise DataError(f"Cannot read a table from {_kind(value)}: {str(error).rstrip('.')}.") from error
    return frame


def _from_protocol(value: Any) -> pd.DataFrame | None:
    """Tables of other libraries, through what they offer themselves."""
    import pandas as pd

    if hasattr(value, "collect") and not hasattr(value, "to_pandas"):
        raise DataError(f"{_kind(value)} is only a query: pass the table that its collect() gives.")
    if hasattr(value, "to_pandas"):
        frame = value.to_pandas()
        if not isinstance(frame, pd.DataFrame):
            raise DataError(f"{_kind(value)} is a single column, not a table.")
        return frame
    if hasattr(value, "__arrow_c_stream__"):
        import pyarrow

        table: pd.DataFrame = pyarrow.table(value).to_pandas()
        return table
    if hasattr(value, "__dataframe__"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas and polars are leaving the protocol; older libraries have no other
            return pd.api.interchange.from_dataframe(value)
    return None


def _from_values(value: Any) -> pd.DataFrame:
    """Mappings of columns, sequences of rows, and arrays."""
    import numpy as np
    import pandas as pd

    if isinstance(value, Mapping):
        if value and all(np.ndim(cell) == 0 for cell in value.values()):
            return pd.DataFrame([dict(value)])  # one row
        return pd.DataFrame(dict(value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if value and all(isinstance(row, Mapping) for row in value):
            return pd.DataFrame(list(value))
        value = np.array(value) if _is_numeric(value) else np.array(value, dtype=object)
    if not hasattr(value, "__array__"):
        raise DataError(
            f"Cannot learn from {_kind(value)}: pass a path, a catalogue name, a table (pandas, polars, Arrow), "
            "an array, or (X, y)."
        )
    array = np.asarray(value)
    if array.dtype.names:
        return pd.DataFrame(array)
    if array.ndim != 2:
        raise DataError(f"A table has two dimensions, rows and columns; this array has shape {array.shape}.")
    return pd.DataFrame(array, columns=_numbered(array.shape[1]))


def _is_numeric(rows: Sequence[Any]) -> bool:
    """True if NumPy makes one numeric block of the rows; mixed ones would all become text."""
    import numpy as np

    try:
        return np.array(rows).dtype.kind in "iufb"
    except ValueError:
        raise DataError("The rows do not all have the same number of values.") from None


def _from_sparse(matrix: Any) -> pd.DataFrame:
    import pandas as pd

    rows, columns = matrix.shape
    if rows * columns > DENSE_CELLS:
        raise DataError(
            f"The sparse matrix has {rows:,} x {columns:,} cells, too many to write out: reduce its columns first, "
            "with sklearn.decomposition.TruncatedSVD for instance."
        )
    return pd.DataFrame(matrix.toarray(), columns=_numbered(columns))


def _numbered(count: int) -> list[str]:
    return [f"x{i}" for i in range(count)]


def has_own_names(value: Any) -> bool:
    """Tell whether columns have names of their own: not in arrays, lists of rows, and frames that pandas numbered."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return not isinstance(value.columns, pd.RangeIndex)
    if is_sparse(value):
        return False
    if isinstance(value, Sequence):
        return bool(value) and isinstance(value[0], Mapping)
    if isinstance(value, Mapping) or hasattr(value, "to_pandas") or hasattr(value, "__arrow_c_stream__"):
        return True
    dtype: np.dtype[Any] | None = getattr(value, "dtype", None)
    return hasattr(value, "__dataframe__") or bool(getattr(dtype, "names", None))


def as_series(values: Any, *, what: str) -> pd.Series:
    """One value per row, with a plain index.

    Args:
        values: a Series of pandas, polars or Arrow, an array of shape (n,) or (n, 1), a list, a frame of one column.
        what: for the message, such as ``target``.

    Raises:
        DataError: there is more than one value per row, or `values` holds none at all.
    """
    import numpy as np
    import pandas as pd

    if is_sparse(values):
        values = values.toarray()
    elif hasattr(values, "to_pandas"):
        values = values.to_pandas()
    if isinstance(values, pd.Series):
        return values.reset_index(drop=True)
    if isinstance(values, pd.DataFrame):
        if values.shape[1] != 1:
            raise DataError(f"The {what} has {values.shape[1]} columns, and one is needed.")
        return values.iloc[:, 0].reset_index(drop=True)
    if isinstance(values, pd.Index | pd.api.extensions.ExtensionArray):
        return pd.Series(values)
    if isinstance(values, str) or not (hasattr(values, "__array__") or isinstance(values, Sequence)):
        raise DataError(f"The {what} must be one value per row, not {_kind(values)}.")
    array = values if hasattr(values, "__array__") else np.array(list(values), dtype=object)
    array = np.asarray(array)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"The {what} must be one value per row; this one has shape {array.shape}.")
    series = pd.Series(array)
    return series.infer_objects() if array.dtype == object else series


def first_name(values: Any) -> str | None:
    """The name that values carry: a Series' own, or that of a frame's only column."""
    name = getattr(values, "name", None)
    if isinstance(name, str) and name:
        return name
    columns = getattr(values, "columns", None)
    if columns is not None and len(columns) == 1:
        return as_names(columns)[0]
    return None


def _kind(value: object) -> str:
    return f"{type(value).__module__.split('.')[0]}.{type(value).__name__}".removeprefix("builtins.")

"""Every dtype that pandas knows, brought to the few that the rest of automl meets.

After cleaning, a column is of a NumPy number type, ``bool``, nullable ``boolean`` (only if values are missing),
``datetime64[us]`` in UTC without a zone, or ``str``. A column of objects that are none of these stays ``object``, and
is of the kind UNSUPPORTED. Missing values are NaN, NaT or NA; infinite ones are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from numbers import Number
from typing import TYPE_CHECKING, Any, Literal

from automl.learning.data.frames import as_frame
from automl.learning.data.guardrails import Finding
from automl.learning.data.names import as_names, unique_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cleaned", "as_text", "clean", "clean_column", "clean_frame", "plain_type"]


@dataclass(frozen=True)
class Cleaned:
    """A frame of plain columns, and what was found on the way.

    Attributes:
        frame: of plain columns.
        findings: what was found.
        categories: columns that came as pandas categories, whatever their values look like.
    """

    frame: pd.DataFrame
    findings: tuple[Finding, ...]
    categories: frozenset[str] = frozenset()


def clean_frame(X: Any) -> pd.DataFrame:
    """A table of any kind as a frame with text names, each once, a RangeIndex, and plain columns.

    Raises:
        DataError: `X` is not a table.
    """
    return clean(as_frame(X)).frame


def clean(frame: pd.DataFrame) -> Cleaned:
    """`clean_frame` for a DataFrame, with its findings. The frame that came in is not changed."""
    import pandas as pd

    names, repeated = unique_names(as_names(frame.columns))
    findings = [Finding("duplicate_names", name) for name in repeated]
    frame = frame.reset_index(drop=True)
    frame.columns = pd.Index(names, dtype="str")
    replaced: dict[str, pd.Series] = {}
    categories = set()
    for name, (_, series) in zip(names, frame.items(), strict=True):
        if isinstance(series.dtype, pd.CategoricalDtype):
            categories.add(name)
        plain, finding = clean_column(series)
        if plain is not series:
            replaced[name] = plain
        if finding:
            findings.append(finding)
    if replaced:
        columns = {name: replaced[name] if name in replaced else frame[name] for name in names}
        frame = pd.DataFrame(columns, index=frame.index, copy=False)
    return Cleaned(frame, tuple(findings), frozenset(categories))


def plain_type(series: pd.Series) -> Literal["number", "boolean", "date", "text", "object"]:
    """Return which of the plain types a clean column has; ``object`` is none of them."""
    name = series.dtype.name
    if name in ("bool", "boolean"):
        return "boolean"
    if name == "str":
        return "text"
    if name == "object":
        return "object"
    return "date" if name.startswith("datetime64") else "number"


def clean_column(series: pd.Series) -> tuple[pd.Series, Finding | None]:
    """A column of a plain dtype, the same object if it was plain; and what was found."""
    import numpy as np

    dtype = series.dtype
    if not isinstance(dtype, np.dtype):
        return _clean_extension(series)
    if dtype.kind in "iub":
        return series, None
    if dtype.kind == "f":
        if dtype.itemsize not in (4, 8):
            series = series.astype("float32" if dtype.itemsize < 4 else "float64")
        return _without_infinity(series)
    if dtype.kind == "M":
        return (series if dtype == "datetime64[us]" else series.astype("datetime64[us]")), None
    if dtype.kind == "m":
        return series.dt.total_seconds(), None
    if dtype.kind == "O":
        return _clean_objects(series)
    return series.astype(object), Finding("unsupported_columns", str(series.name))  # complex numbers, records


def _without_infinity(series: pd.Series) -> tuple[pd.Series, Finding | None]:
    import numpy as np

    values = series.to_numpy()
    infinite = np.isinf(values)
    if not infinite.any():
        return series, None
    return series.mask(infinite), Finding("non_finite", str(series.name))


def _clean_extension(series: pd.Series) -> tuple[pd.Series, Finding | None]:
    """Columns of pandas' own types: nullable, Arrow, category, zoned dates, sparse, period."""
    import numpy as np
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.StringDtype):
        return (series if dtype.name == "str" else series.astype("str")), None
    if isinstance(dtype, pd.CategoricalDtype):
        text = np.array([*map(text_of, dtype.categories), np.nan], dtype=object)  # the code of missing is -1: the last
        return pd.Series(text[series.cat.codes], index=series.index, name=series.name, dtype="str"), None
    if isinstance(dtype, pd.DatetimeTZDtype):
        return clean_column(series.dt.tz_convert("UTC").dt.tz_localize(None))
    if isinstance(dtype, pd.SparseDtype):
        return clean_column(pd.Series(np.asarray(series), index=series.index, name=series.name))
    if isinstance(dtype, pd.PeriodDtype):
        return clean_column(series.dt.to_timestamp())
    if isinstance(dtype, pd.BooleanDtype):
        return (series if series.hasnans else series.astype(bool)), None
    if pd.api.types.is_bool_dtype(dtype):  # Arrow's
        return clean_column(series.astype("boolean"))
    if pd.api.types.is_integer_dtype(dtype):
        return series.astype("float64") if series.isna().any() else series.astype(_numpy_dtype(dtype)), None
    if pd.api.types.is_float_dtype(dtype):
        return clean_column(series.astype(_numpy_dtype(dtype)))
    return _clean_objects(series.astype(object))


def _numpy_dtype(dtype: Any) -> Any:
    """NumPy's counterpart of a nullable or Arrow number type."""
    return dtype.numpy_dtype


def _clean_objects(series: pd.Series) -> tuple[pd.Series, Finding | None]:
    """Columns of Python objects: what all values have in common decides."""
    import numpy as np
    import pandas as pd

    series = series.where(series.notna(), np.nan)
    inferred = pd.api.types.infer_dtype(series, skipna=True)
    if inferred == "empty":
        return series.astype("float64"), None
    if inferred == "string":
        return series.astype("str"), None
    if inferred == "integer" and _only_tell_apart(series):
        return as_text(series), None
    if inferred in ("integer", "floating", "mixed-integer-float", "decimal"):
        return clean_column(_as_numbers(series))
    if inferred == "boolean":
        return clean_column(series.astype("boolean"))
    if inferred in ("datetime64", "datetime", "date"):
        return clean_column(pd.to_datetime(series, utc=True, errors="coerce"))
    if inferred in ("timedelta64", "timedelta"):
        return clean_column(pd.to_timedelta(series, errors="coerce"))
    if inferred == "bytes":
        return series.map(lambda value: value.decode(errors="replace"), na_action="ignore").astype("str"), None
    if inferred in ("time", "period", "interval"):
        return series.map(str, na_action="ignore").astype("str"), None
    if all(isinstance(value, str | Number | np.generic) for value in series.dropna()):
        return as_text(series), Finding("mixed_types", str(series.name))
    return series, Finding("unsupported_columns", str(series.name))


def _only_tell_apart(series: pd.Series) -> bool:
    """True for integers so large that as floats some would become one: not quantities, but numbers of accounts."""
    values = series.dropna()
    largest = max(map(abs, values))
    return bool(largest >= 2**63) and values.astype("float64").nunique() < values.nunique()


def _as_numbers(series: pd.Series) -> pd.Series:
    """Objects that are all numbers: int64 if they are whole, fit, and none is missing."""
    import pandas as pd

    if any(isinstance(value, Decimal) for value in series):
        return series.astype("float64")
    numbers = pd.to_numeric(series, errors="coerce")
    return numbers if numbers.dtype != object else series.astype("float64")


def as_text(series: pd.Series) -> pd.Series:
    """Values as text. Whole numbers lose their point: 1 and 1.0 are one category."""
    if plain_type(series) == "text":
        return series
    return series.map(text_of, na_action="ignore").astype(object).astype("str")


def text_of(value: Any) -> str:
    """Return the name of a value as a category."""
    whole = hasattr(value, "is_integer") and not isinstance(value, int) and value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else str(value)

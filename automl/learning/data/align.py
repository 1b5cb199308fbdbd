"""The same columns, in the same order and of the same types, whatever table comes in: what a model predicts on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from automl.errors import DataError
from automl.learning.data.clean import as_text, clean, clean_column, plain_type
from automl.learning.data.columns import MISSING_MARKERS, Column, ColumnKind
from automl.learning.data.frames import as_frame, has_own_names
from automl.learning.data.guardrails import Finding
from automl.learning.data.names import nearest, some

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["align_frame", "cast_columns"]

_log = logging.getLogger("automl")


def align_frame(X: Any, columns: Sequence[Column]) -> pd.DataFrame:
    """A table of any kind with exactly `columns`, for prediction and for test data.

    Columns may come in any order and more of them than needed. Columns that models do not use may be absent. A table
    without names (an array, rows of values) is taken by position.

    Args:
        X: (n, m) table.
        columns: those of the `Table` that the model was trained on.

    Returns:
        (n, len(columns)) frame with a RangeIndex and the dtypes of training.

    Raises:
        DataError: a column is missing, or an array has another width.
    """
    frame = as_frame(X)
    if not has_own_names(X) and len(frame.columns) != len(columns):
        raise DataError(f"The model takes {len(columns)} columns, and this array has {len(frame.columns)}.")
    frame = _by_position(frame, columns) if not has_own_names(X) else frame
    frame = clean(frame).frame
    absent = [column for column in columns if column.name not in frame.columns]
    needed = [column.name for column in absent if column.kind.is_used]
    if needed:
        others = [str(name) for name in frame.columns]
        hint = nearest(needed[0], others) if len(needed) == 1 else ""
        raise DataError(f"The table lacks {_count(needed)} that the model needs: {some(needed)}.{hint}")
    if absent:
        frame = frame.assign(**{column.name: float("nan") for column in absent})
    frame, findings = cast_columns(frame[[column.name for column in columns]], columns)
    for finding in findings:
        _log.warning("Column %r: %s; treated as missing.", finding.column, finding.detail)
    return frame


def _count(names: Sequence[str]) -> str:
    return "a column" if len(names) == 1 else f"{len(names)} columns"


def _by_position(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    return frame.set_axis([column.name for column in columns], axis=1)


def cast_columns(frame: pd.DataFrame, columns: Sequence[Column]) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Clean columns with the dtypes of their kinds: numbers, ``str``, ``bool`` or ``boolean``, ``datetime64[us]``.

    Columns that are not used stay as they are. Values that do not fit become missing, with a finding.
    """
    import pandas as pd

    replaced: dict[str, pd.Series] = {}
    findings = []
    for column, (_, series) in zip(columns, frame.items(), strict=True):
        cast = cast_column(series, column.kind)
        if cast is series:
            continue
        replaced[column.name] = cast
        finding = _what_was_lost(series, cast, column)
        if finding:
            findings.append(finding)
    if replaced:
        names = [column.name for column in columns]
        parts = {name: replaced[name] if name in replaced else frame[name] for name in names}
        frame = pd.DataFrame(parts, index=frame.index, copy=False)
    return frame, tuple(findings)


def cast_column(series: pd.Series, kind: ColumnKind) -> pd.Series:
    """A clean column with the dtype of its kind; the same object if it has it."""
    if not kind.is_used or kind is ColumnKind.IDENTIFIER:
        return series
    if kind is ColumnKind.NUMERIC:
        return _as_numbers(series)
    if kind is ColumnKind.DATE:
        return _as_dates(series)
    if kind is ColumnKind.BOOLEAN:
        return _as_booleans(series)
    return as_text(series)


def _as_numbers(series: pd.Series) -> pd.Series:
    import pandas as pd

    plain = plain_type(series)
    if plain in ("text", "object"):
        return clean_column(pd.to_numeric(series, errors="coerce"))[0]
    if plain == "date":  # seconds since 1970
        return (series - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
    return series.astype("float64") if plain == "boolean" else series


def _as_dates(series: pd.Series) -> pd.Series:
    import pandas as pd

    if plain_type(series) == "date":
        return series
    text = as_text(series)
    dates = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    other = dates.isna() & text.notna()
    if other.any():
        dates = dates.where(~other, pd.to_datetime(text.where(other), format="mixed", utc=True, errors="coerce"))
    return clean_column(dates)[0]


_TRUTH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "t": True, "f": False}


def _as_booleans(series: pd.Series) -> pd.Series:
    if plain_type(series) == "boolean":
        return series
    truth = as_text(series).map(lambda text: _TRUTH.get(text.strip().lower()), na_action="ignore")
    return clean_column(truth.astype(object).where(truth.notna(), None).astype("boolean"))[0]


def _what_was_lost(before: pd.Series, after: pd.Series, column: Column) -> Finding | None:
    """The values that did not fit: there before, missing after, and not a marker of a missing value."""
    lost = before[before.notna() & after.isna()]
    if lost.empty:
        return None
    strange = [text for value in lost.unique() if (text := str(value)).strip().lower() not in MISSING_MARKERS]
    if not strange:
        return None
    return Finding("unreadable", column.name, f"{strange[0][:20]!r} is not {column.kind}")

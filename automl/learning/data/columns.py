"""The kind of each column of a table. Cautious: a column is left out only if it cannot say anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from automl.learning.data.clean import Cleaned, clean, plain_type
from automl.learning.data.frames import as_frame
from automl.learning.data.guardrails import Finding
from automl.learning.data.kinds import Column, ColumnKind, read_overrides

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MISSING_MARKERS", "Column", "ColumnKind", "Detected", "detect", "detect_columns"]

SAMPLE_ROWS = 100_000
"""Rows over which distinct values are counted."""
IDENTIFIER_ROWS = 30
"""In shorter tables, that all values differ says little."""
LOOKED_AT = 50
"""Values of a text column that are looked at before all of them are parsed."""

MOSTLY_NUMBERS = 0.9
"""Share of numbers among a text column's values from which the rest looks like a mistake."""

_HUGE = 2**53
"""From here on floats cannot tell all whole numbers apart, so no model could."""

MISSING_MARKERS = frozenset(
    {"", "?", "-", "--", ".", "*", "na", "n/a", "n.a.", "nan", "none", "null", "missing", "unknown"}
)
"""Texts that stand for a missing number in columns that hold numbers otherwise; compared in lower case."""

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?")
_DIGITS_OF_A_CODE = re.compile(r"[+-]?(0\d+|\d{18,})")
"""Zero-padded, or with more digits than floats tell apart: the number of an account, not a quantity."""
_CODE = re.compile(
    r"[A-Za-z]{0,12}[-_#:/]?\d+|\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?|[0-9a-fA-F]{16,64}"
)
_ID_NAME = re.compile(
    r"(?i:^(id|uuid|guid|index|row_?(id|number|num|no)|unnamed: \d+)$|[_\s.-](id|uuid|guid)$)|[a-z]I[dD]$"
)


@dataclass(frozen=True)
class Detected:
    """The columns as they were understood, and what was found about them."""

    columns: tuple[Column, ...]
    findings: tuple[Finding, ...]


def detect_columns(X: Any, overrides: Mapping[str, str] = {}) -> tuple[Column, ...]:
    """The kind of each column of a table.

    Args:
        X: (n, m) table of any kind.
        overrides: kinds that the user declared, by column.

    Returns:
        m columns in the table's order.

    Raises:
        DataError: an override names a column or a kind that does not exist.

    Example:
        >>> import pandas as pd
        >>> [str(c.kind) for c in detect_columns(pd.DataFrame({"age": [31, 45], "city": ["Oslo", "Rome"]}))]
        ['numeric', 'categorical']
    """
    return detect(clean(as_frame(X)), overrides).columns


def detect(cleaned: Cleaned, overrides: Mapping[str, str] = {}) -> Detected:
    """`detect_columns` for what is clean already, with its findings."""
    import numpy as np

    frame = cleaned.frame
    names = list(frame.columns)
    declared = read_overrides(overrides, names)
    n_rows = len(frame)
    rows = None if n_rows <= SAMPLE_ROWS else np.linspace(0, n_rows - 1, SAMPLE_ROWS).astype(np.intp)
    columns, findings = [], []
    for name, (_, series) in zip(names, frame.items(), strict=True):
        sample = series if rows is None else series.iloc[rows]
        column, finding = _understand(series, sample, declared.get(name), name in cleaned.categories)
        columns.append(column)
        if finding:
            findings.append(finding)
    if not any(column.kind.is_used for column in columns):
        columns = [_use_anyway(column, frame[column.name]) for column in columns]
    return Detected(tuple(columns), tuple(findings))


def _understand(
    series: pd.Series, sample: pd.Series, declared: ColumnKind | None, came_as_category: bool
) -> tuple[Column, Finding | None]:
    name, plain = str(series.name), plain_type(series)
    missing = int(series.isna().to_numpy().sum())
    if plain == "object":
        return Column(name, ColumnKind.UNSUPPORTED, missing, 0, "cells hold objects"), None
    distinct = _distinct(sample)
    unique = len(distinct)
    kind, note, finding = ColumnKind.NUMERIC, "", None
    if declared is not None:
        kind, note = declared, "declared"
    elif missing == len(series):
        kind, note = ColumnKind.CONSTANT, "no value at all"
    elif unique == 1 and missing == 0 and bool((series == distinct[0]).all()):
        kind, note = ColumnKind.CONSTANT, f"always {str(distinct[0])[:40]}"
    elif came_as_category:
        kind, note = ColumnKind.CATEGORICAL, "came as categories"
    elif plain == "boolean":
        kind = ColumnKind.BOOLEAN
    elif plain == "date":
        kind = ColumnKind.DATE
    elif plain == "text":
        kind, note, finding = _understand_text(series, sample, distinct, missing)
    elif _numbers_the_rows(series, unique == len(sample)):
        kind, note = ColumnKind.IDENTIFIER, "whole numbers that only count or name the rows"
    return Column(name, kind, missing, unique, note), finding


def _distinct(sample: pd.Series) -> Any:
    """Distinct values without missing ones; numbers by way of NumPy, since tables may have thousands of them."""
    import pandas as pd

    if plain_type(sample) != "number":
        return sample.dropna().unique()
    values = pd.unique(sample.to_numpy())
    return values[values == values]  # NaN differs from itself


def _numbers_the_rows(series: pd.Series, all_differ: bool) -> bool:
    """True for integers that are all different and count the rows, are called an identifier, or are huge."""
    import numpy as np

    values = series.to_numpy()
    if not all_differ or len(series) < IDENTIFIER_ROWS or values.dtype.kind not in "iu":
        return False
    if values[0] in (0, 1) and bool(np.all(values[1:] == values[:-1] + 1)):
        return True
    called = bool(_ID_NAME.search(str(series.name))) or bool(values.min() >= _HUGE)
    return called and series.is_unique


def _understand_text(
    series: pd.Series, sample: pd.Series, distinct: Any, missing: int
) -> tuple[ColumnKind, str, Finding | None]:
    """Dates, numbers, identifiers, text or categories: the first that fits."""
    name = str(series.name)
    values = [str(value) for value in distinct]
    if all(_ISO_DATE.fullmatch(value.strip()) for value in values[:LOOKED_AT]) and _parse_as_dates(values):
        return ColumnKind.DATE, "ISO dates as text", Finding("text_dates", name)
    share, exceptions = _numbers_among(values)
    if share > 0 and MISSING_MARKERS.issuperset(value.strip().lower() for value in exceptions):
        detail = f"{exceptions[0]!r} means missing" if exceptions else ""
        return ColumnKind.NUMERIC, "numbers as text", Finding("text_numbers", name, detail)
    if share >= MOSTLY_NUMBERS:
        return (
            ColumnKind.CATEGORICAL,
            "nearly all numbers",
            Finding("mostly_numbers", name, f"not {exceptions[0][:20]!r}"),
        )
    if missing == 0 and len(values) == len(sample) >= IDENTIFIER_ROWS and _names_the_rows(series, values):
        return ColumnKind.IDENTIFIER, "text that only names the rows", None
    if _is_prose(values, len(sample)):
        return ColumnKind.TEXT, "", None
    return ColumnKind.CATEGORICAL, "", None


def _parse_as_dates(values: list[str]) -> bool:
    import pandas as pd

    return bool(pd.to_datetime(pd.Series(values), format="ISO8601", utc=True, errors="coerce").notna().all())


def _numbers_among(values: list[str]) -> tuple[float, list[str]]:
    """Share of distinct values that are numbers, and those that are not; none are if some are codes made of digits."""
    import pandas as pd

    if not any(map(_looks_numeric, values[:LOOKED_AT])) or any(
        _DIGITS_OF_A_CODE.fullmatch(value.strip()) for value in values
    ):
        return 0.0, values
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").notna().to_numpy()
    exceptions = [value for value, number in zip(values, numbers, strict=True) if not number]
    return float(numbers.mean()), exceptions


def _looks_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names_the_rows(series: pd.Series, values: list[str]) -> bool:
    """True for unique codes such as ``C-00017`` or a UUID, or single words in a column called an identifier."""
    looked_at = values[:LOOKED_AT]
    coded = all(_CODE.fullmatch(value) for value in looked_at)
    called = bool(_ID_NAME.search(str(series.name))) and not any(" " in value.strip() for value in looked_at)
    return (coded or called) and bool(series.is_unique)


def _is_prose(values: list[str], n_rows: int) -> bool:
    """True for text that people wrote: mostly different values, of several words or long."""
    if len(values) <= IDENTIFIER_ROWS:
        return False
    looked_at = values[:: max(1, len(values) // 1000)]
    words = sum(len(value.split()) for value in looked_at) / len(looked_at)
    length = sum(map(len, looked_at)) / len(looked_at)
    differ = len(values) / n_rows
    return (differ >= 0.5 and (words >= 2 or length >= 30)) or differ >= 0.95 or (differ >= 0.05 and words >= 8)


def _use_anyway(column: Column, series: pd.Series) -> Column:
    """An identifier as an ordinary column: in a table without any other, it is all there is."""
    if column.kind is not ColumnKind.IDENTIFIER or column.note == "declared":
        return column
    kind = ColumnKind.TEXT if plain_type(series) == "text" else ColumnKind.NUMERIC
    return replace(column, kind=kind, note="the only column of use")

"""The target and the other columns with a role: found, checked, and taken out of the features."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from automl.errors import DataError
from automl.learning.data.clean import clean_column, plain_type
from automl.learning.data.frames import as_series
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.data.names import nearest, some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["likely_targets", "read_role", "read_target", "require_column"]

_TARGET_NAME = re.compile(
    r"(?i)^(target|label|labels|class|y|outcome|response|result|survived|churn(ed)?|default(ed)?|price|species|is_.*)$"
)
_SUGGESTED = 5
_FEW_CLASSES = 50


def require_column(name: str, names: list[str], what: str) -> None:
    """Raise DataError with the nearest spelling unless `name` is one of `names`."""
    if name not in names:
        hint = nearest(name, names)
        raise DataError(f"The {what} {name!r} is not in the table.{hint} The columns are {some(names, 10)}.")


def likely_targets(frame: pd.DataFrame, task: str) -> list[str]:
    """Columns that are likely to be the target, the likeliest first: by name, by place, by what they hold."""

    def unlikeliness(item: tuple[int, str]) -> tuple[bool, bool, bool, int]:
        position, name = item
        place = min(position, len(frame.columns) - 1 - position)  # at either end
        return (
            not _TARGET_NAME.match(name),
            not _suits(frame.iloc[:, position], task),
            position != len(frame.columns) - 1,
            place,
        )

    everywhere = range(len(frame.columns))
    ends = everywhere if len(everywhere) <= 200 else [*everywhere[:100], *everywhere[-100:]]  # of very wide tables
    ordered = sorted(((position, str(frame.columns[position])) for position in ends), key=unlikeliness)
    return [name for _, name in ordered[:_SUGGESTED]]


def _suits(series: pd.Series, task: str) -> bool:
    """True if the column could be the target of `task`."""
    series = series.head(10_000)
    if task == "regression":
        return plain_type(series) == "number" and series.nunique() > 10
    return plain_type(series) != "object" and 2 <= series.nunique() <= min(_FEW_CLASSES, len(series) // 2)


def read_target(series: pd.Series, name: str) -> tuple[np.ndarray, np.ndarray, tuple[Guardrail, ...]]:
    """The target's values, the rows that have one, and what was done.

    Args:
        series: (n,) as it was read.
        name: for messages.

    Returns:
        (k,) values; (n,) bool, True for the k rows with a value; guardrails.

    Raises:
        DataError: no row has a value, or the values are neither labels nor numbers.
    """
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)  # labels keep their own type, numbers among them
    plain, finding = clean_column(series.reset_index(drop=True))
    if plain_type(plain) == "object":
        raise DataError(f"The target {name!r} holds lists or objects; it must hold one label or number per row.")
    there = plain.notna().to_numpy(dtype=bool)
    if not there.any():
        raise DataError(f"The target {name!r} has no value in any row.")
    guardrails = []
    if finding and finding.check == "mixed_types":
        message = f"Numbers and text are mixed in the target {name!r}, so all values are read as text."
        guardrails.append(Guardrail("target_types", Verdict.DONE, message, (name,)))
    values = as_values(plain[there])
    absent = int(there.size - there.sum())
    if absent:
        message = f"{absent:,} of {there.size:,} rows have no value of the target {name!r} and are left out."
        guardrails.append(Guardrail("missing_target", Verdict.DONE, message, (name,)))
        values = _whole(values)  # a missing value had made floats of integers
    else:
        guardrails.append(Guardrail("missing_target", Verdict.PASSED, "Every row has a value of the target."))
    return values, there, tuple(guardrails)


def _whole(values: np.ndarray) -> np.ndarray:
    import numpy as np

    if values.dtype.kind == "f" and bool((values == np.floor(values)).all()) and bool((np.abs(values) < 2**53).all()):
        return values.astype(np.int64)
    return values


def as_values(series: pd.Series) -> np.ndarray:
    """A clean column without missing values as an array: text as objects, anything else in its own type."""
    import numpy as np

    plain = plain_type(series)
    if plain == "boolean":
        return series.to_numpy(dtype=bool)
    return series.to_numpy(dtype=object) if plain == "text" else np.array(series)


def read_role(value: Any, role: str, frame: pd.DataFrame) -> np.ndarray:
    """The values of a role, one for each row of `frame`.

    Args:
        value: a column's name, or the values themselves.
        role: ``weight``, ``group``, ``time`` or ``fold``.
        frame: clean.

    Returns:
        (n,) float64 for weight, numbers or datetime64[us] for time, any values for group and fold.

    Raises:
        DataError: the column is not there, values are missing, or they do not fit the role.
    """
    if isinstance(value, str):
        require_column(value, list(frame.columns), f"{role} column")
        series, shown = frame[value], f"The {role} column {value!r}"
    else:
        series, _ = clean_column(as_series(value, what=role))
        shown = f"The {role}"
        if len(series) != len(frame):
            raise DataError(f"{shown} has {len(series):,} values, and the table has {len(frame):,} rows.")
    absent = int(series.isna().sum())
    if absent:
        raise DataError(f"{shown} has no value in {absent:,} rows; every row needs one.")
    if plain_type(series) == "object":
        raise DataError(f"{shown} holds lists or objects; every row needs one plain value.")
    if role == "weight":
        return _as_weight(series, shown)
    return _as_time(series, shown) if role == "time" else as_values(series)


def _as_weight(series: pd.Series, shown: str) -> np.ndarray:
    if plain_type(series) != "number":
        raise DataError(f"{shown} must hold numbers.")
    weight = series.to_numpy(dtype="float64")
    if (weight < 0).any() or not weight.sum() > 0:
        raise DataError(f"{shown} must not be negative, and not zero everywhere.")
    return weight


def _as_time(series: pd.Series, shown: str) -> np.ndarray:
    import pandas as pd

    if plain_type(series) == "text":
        parsed = pd.to_datetime(series, format="ISO8601", utc=True, errors="coerce")
        if parsed.isna().any():
            strange = series[parsed.isna()].iloc[0]
            raise DataError(f"{shown} holds {strange!r}, which is not a date; write dates as 2026-11-21 or numbers.")
        series, _ = clean_column(parsed)
    return as_values(series)

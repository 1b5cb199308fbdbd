"""Every dtype comes down to a few plain ones, and no value is changed on the way."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from automl.errors import DataError
from automl.learning.data.clean import clean, clean_frame


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (np.array([1, 2], dtype="int8"), "int8", [1, 2]),
        (np.array([1, 2], dtype="float16"), "float32", [1.0, 2.0]),
        (pd.array([1, None], dtype="Int64"), "float64", [1.0, None]),
        (pd.array([1, 2], dtype="Int64"), "int64", [1, 2]),
        (pd.array([1.5, None], dtype="Float32"), "float32", [1.5, None]),
        (pd.array([1, None], dtype="int64[pyarrow]"), "float64", [1.0, None]),
        (pd.array([True, None], dtype="boolean"), "boolean", [True, None]),
        (pd.array([True, False], dtype="boolean"), "bool", [True, False]),
        (np.array([True, None], dtype=object), "boolean", [True, None]),
        (pd.array(["a", None], dtype="string"), "str", ["a", None]),
        (pd.array(["a", None], dtype=pd.ArrowDtype(pa.large_string())), "str", ["a", None]),
        (pd.Categorical(["b", None]), "str", ["b", None]),
        (pd.Categorical([1.0, 2.5]), "str", ["1", "2.5"]),
        (pd.Series([1, "a"], dtype=object), "str", ["1", "a"]),
        (pd.Series([1.0, "a"], dtype=object), "str", ["1", "a"]),  # whole numbers lose their point
        (pd.Series([Decimal("1.5"), None]), "float64", [1.5, None]),
        (pd.Series([10**30, 1], dtype=object), "float64", [1e30, 1.0]),
        (pd.Series([b"a", b"b"]), "str", ["a", "b"]),
        (pd.to_timedelta([1, 2], unit="min"), "float64", [60.0, 120.0]),
        (pd.arrays.SparseArray([0.0, 1.0]), "float64", [0.0, 1.0]),
        (pd.date_range("2020-01-01", periods=2), "datetime64[us]", ["2020-01-01", "2020-01-02"]),
        (pd.date_range("2020-01-01 01:00", periods=1, tz="Europe/Oslo"), "datetime64[us]", ["2020-01-01 00:00"]),
        (pd.period_range("2020-01", periods=1, freq="M"), "datetime64[us]", ["2020-01-01"]),
        (pd.Series([datetime.date(2020, 1, 1), None]), "datetime64[us]", ["2020-01-01", None]),
        (pd.Series([None, None], dtype=object), "float64", [None, None]),
        (np.array([np.inf, 1.0, -np.inf]), "float64", [None, 1.0, None]),
    ],
)
def test_a_column_becomes_plain(values, dtype: str, expected: list) -> None:
    column = clean_frame(pd.DataFrame({"x": values}))["x"]
    assert column.dtype == dtype
    for got, want in zip(column, expected, strict=True):
        if want is None:
            assert pd.isna(got)
        else:
            assert got == (pd.Timestamp(want) if dtype.startswith("datetime") else want)


def test_the_users_own_frame_stays_as_it_is() -> None:
    frame = pd.DataFrame({1: [np.inf, 2.0], "b": pd.Categorical(["x", "y"])}, index=[5, 6])
    before = frame.copy(deep=True)
    clean_frame(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_cleaning_twice_changes_nothing() -> None:
    frame = pd.DataFrame({"a": [1, "x"], "b": pd.Categorical([1, 2]), "c": pd.array([1, None], dtype="Int8")})
    once = clean_frame(frame)
    pd.testing.assert_frame_equal(clean_frame(once), once)


def test_names_become_text_and_each_occurs_once() -> None:
    frame = pd.DataFrame(np.zeros((1, 5)), columns=[1, "a", " a ", "a.1", ("b", 2)])
    cleaned = clean(frame)
    assert list(cleaned.frame.columns) == ["1", "a", "a.2", "a.1", "b_2"]
    assert [finding.column for finding in cleaned.findings] == ["a"]


def table() -> pd.DataFrame:
    return pd.DataFrame({"n": [1.5, 2.5], "s": ["a", None], "b": [True, False]})


class ArrowStream:
    def __init__(self, content: pa.Table) -> None:
        self.content = content

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.content.__arrow_c_stream__(requested_schema)


class Interchange:
    def __init__(self, content: pa.Table) -> None:
        self.content = content

    def __dataframe__(self, **options: object) -> object:
        return self.content.__dataframe__(**options)


@pytest.mark.parametrize(
    "convert",
    [
        pl.from_pandas,
        pa.Table.from_pandas,
        lambda frame: ArrowStream(pa.Table.from_pandas(frame)),
        lambda frame: Interchange(pa.Table.from_pandas(frame)),
        lambda frame: frame.to_dict(orient="list"),
        lambda frame: frame.to_dict(orient="records"),
        lambda frame: frame.to_records(index=False),
    ],
    ids=["polars", "arrow", "arrow stream", "interchange", "columns", "records", "structured array"],
)
def test_tables_of_other_libraries_read_the_same(convert) -> None:
    pd.testing.assert_frame_equal(clean_frame(convert(table())), clean_frame(table()))


def test_arrays_and_rows_get_numbered_columns() -> None:
    for rows in (np.array([[1.0, 2.0], [3.0, 4.0]]), [[1.0, 2.0], [3.0, 4.0]]):
        frame = clean_frame(rows)
        assert list(frame.columns) == ["x0", "x1"]
        assert frame["x1"].tolist() == [2.0, 4.0]


def test_rows_of_mixed_values_keep_each_columns_type() -> None:
    frame = clean_frame([[1, "a"], [2, "b"]])
    assert [str(dtype) for dtype in frame.dtypes] == ["int64", "str"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "Cannot learn from int"),
        (None, "Cannot learn from NoneType"),
        ([1, 2, 3], r"two dimensions.*\(3,\)"),
        (np.zeros((2, 2, 2)), r"two dimensions.*\(2, 2, 2\)"),
        ([[1, 2], [3]], "do not all have the same number of values"),
        (pd.Series([1, 2]), "A single column is not a table"),
        (pl.Series([1, 2]), "a single column, not a table"),
        (pl.LazyFrame({"a": [1]}), "only a query"),
        ({"a": [1, 2], "b": [1]}, "Cannot read a table from dict"),
    ],
)
def test_what_is_no_table_is_refused(value, message: str) -> None:
    with pytest.raises(DataError, match=message):
        clean_frame(value)

"""Which kind a column is: each rule by an example, and the caution about leaving columns out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl.errors import DataError
from automl.learning.data.columns import Column, ColumnKind, detect_columns

ROWS = 60
RNG = np.random.default_rng(0)


def kind_of(values, name: str = "x", **overrides: str) -> ColumnKind:
    frame = pd.DataFrame({name: values, "other": RNG.normal(size=len(values))})
    return detect_columns(frame, overrides)[0].kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (RNG.normal(size=ROWS), "numeric"),
        (RNG.integers(0, 3, ROWS), "numeric"),
        (pd.array([1, None] * 30, dtype="Int64"), "numeric"),
        (pd.array([1.5, None] * 30, dtype="double[pyarrow]"), "numeric"),
        (pd.to_timedelta(np.arange(ROWS), unit="h"), "numeric"),
        (["1", "2.5"] * 30, "numeric"),
        ([1, "2"] * 30, "numeric"),
        ([True, False] * 30, "boolean"),
        ([True, None] * 30, "boolean"),
        (pd.array([True, None] * 30, dtype="bool[pyarrow]"), "boolean"),
        (["a", "b"] * 30, "categorical"),
        (pd.Categorical([1, 2] * 30), "categorical"),
        (["00123", "12345"] * 30, "categorical"),  # padded with zeros: codes
        (["1234567890123456789012"] * 30 + ["1234567890123456789013"] * 30, "categorical"),  # one as floats
        ([10**30, 10**30 + 1] * 30, "categorical"),
        ([10**30, 2 * 10**30] * 30, "numeric"),
        (np.arange(ROWS) + 2**60, "identifier"),  # no float could tell them apart
        (np.arange(ROWS) * 1j, "unsupported"),
        ([1, "a", 2.5] * 20, "categorical"),
        (pd.date_range("2020", periods=ROWS), "date"),
        (pd.date_range("2020", periods=ROWS, tz="Europe/Oslo"), "date"),
        (["2020-01-31", "2021-02-03T10:00:00Z", None] * 20, "date"),
        (["2020-01-31", "yesterday"] * 30, "categorical"),
        (["2020-13-45", "2020-01-01"] * 30, "categorical"),  # looks like dates, is none
        ([f"the quick fox number {i} jumps" for i in range(ROWS)], "text"),
        ([f"user{i}@example.org" for i in range(ROWS)], "text"),
        ([7] * ROWS, "constant"),
        ([None] * ROWS, "constant"),
        ([7, None] * 30, "numeric"),  # that a value is missing may mean something
        ([f"C-{i:05d}" for i in range(ROWS)], "identifier"),
        ([f"{i:08x}-0000-4000-8000-{i:012x}" for i in range(ROWS)], "identifier"),
        (np.arange(ROWS), "identifier"),
        (np.arange(1, ROWS + 1), "identifier"),
        (np.arange(1900, 1900 + ROWS), "numeric"),  # years
        (RNG.permutation(ROWS), "numeric"),  # ranks
        (np.arange(float(ROWS)), "numeric"),  # floats never name rows
        ([[1, 2]] * ROWS, "unsupported"),
        ([{"a": 1}] * ROWS, "unsupported"),
    ],
)
def test_the_kind_of_a_column(values, kind: str) -> None:
    assert kind_of(values) == kind


def test_unique_integers_are_an_identifier_if_they_are_called_one() -> None:
    numbers = RNG.permutation(10_000)[:ROWS]
    assert kind_of(numbers, "customer_id") is ColumnKind.IDENTIFIER
    assert kind_of(numbers, "customerId") is ColumnKind.IDENTIFIER
    assert kind_of(numbers, "humid") is ColumnKind.NUMERIC
    assert kind_of(numbers, "balance") is ColumnKind.NUMERIC
    assert kind_of(RNG.integers(0, 9, ROWS), "shop_id") is ColumnKind.NUMERIC


def test_an_identifier_is_used_when_it_is_all_there_is() -> None:
    assert detect_columns(pd.DataFrame({"t": np.arange(ROWS)}))[0].kind is ColumnKind.NUMERIC


def test_few_rows_name_nothing() -> None:
    assert kind_of(np.arange(10)) is ColumnKind.NUMERIC


@pytest.mark.parametrize("marker", ["?", "-", "N/A", "unknown"])
def test_a_marker_among_numbers_means_missing(marker: str) -> None:
    assert kind_of(["1", marker, "2"] * 20) is ColumnKind.NUMERIC


def test_a_declared_kind_wins() -> None:
    assert kind_of(RNG.integers(0, 3, ROWS), x="categorical") is ColumnKind.CATEGORICAL
    assert kind_of(np.arange(ROWS), x="numeric") is ColumnKind.NUMERIC


def test_a_mistaken_declaration_is_refused() -> None:
    with pytest.raises(DataError, match=r"column 'agee', which is not there. Did you mean 'age'\?"):
        detect_columns(pd.DataFrame({"age": [1, 2]}), {"agee": "numeric"})
    with pytest.raises(DataError, match="'age' cannot be 'number': write one of numeric, categorical"):
        detect_columns(pd.DataFrame({"age": [1, 2]}), {"age": "number"})


def test_missing_and_distinct_values_are_counted() -> None:
    assert detect_columns(pd.DataFrame({"x": [1.0, 1.0, 2.0, None]})) == (Column("x", ColumnKind.NUMERIC, 1, 2),)


def test_long_tables_are_sampled_but_a_constant_is_proven() -> None:
    almost = np.zeros(250_000)
    almost[123_457] = 1.0  # not among the sampled rows
    assert kind_of(almost) is ColumnKind.NUMERIC
    assert kind_of(np.zeros(250_000)) is ColumnKind.CONSTANT

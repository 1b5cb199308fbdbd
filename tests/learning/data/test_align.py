"""Prediction on whatever table comes: same columns, same order, same types."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import polars as pl
import pytest

from automl.errors import DataError
from automl.learning.data.load import align_frame, load_table
from automl.learning.data.options import DataOptions

TRAIN = pd.DataFrame(
    {
        "age": np.arange(20, 60),
        "smoker": [True, False] * 20,
        "city": pd.Categorical(["Oslo", "Rome"] * 20),
        "zip": [1234, 5678] * 20,
        "day": pd.date_range("2026-01-01", periods=40).astype(str),
        "always": 1,
        "y": [0, 1, 1, 0] * 10,
    }
)
TABLE = load_table(TRAIN, DataOptions(target="y"), task="classification", columns={"zip": "categorical"})
X = TRAIN.drop(columns="y")


def test_training_rows_come_out_as_the_models_saw_them() -> None:
    pd.testing.assert_frame_equal(align_frame(X, TABLE.columns), TABLE.X)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame[frame.columns[::-1]],
        lambda frame: frame.assign(extra="x"),
        lambda frame: frame.set_index(pd.Index(range(100, 140))),
        lambda frame: frame.astype({"city": "str", "zip": "float64", "age": "Int64"}),
        lambda frame: frame.astype({"age": "str", "zip": "str"}),
        lambda frame: frame.assign(day=pd.to_datetime(frame["day"])),
        pl.from_pandas,
        lambda frame: frame.to_dict(orient="records"),
        lambda frame: frame.to_numpy(dtype=object),
    ],
    ids=["reordered", "extra", "index", "types", "text", "dates", "polars", "records", "array"],
)
def test_other_forms_of_the_same_rows_come_out_the_same(change) -> None:
    got = align_frame(change(X), TABLE.columns)
    pd.testing.assert_frame_equal(got, TABLE.X, check_dtype=False)
    assert got["zip"].tolist() == TABLE.X["zip"].tolist()


def test_one_row_as_a_mapping_will_do() -> None:
    assert align_frame(X.iloc[0].to_dict(), TABLE.columns)["city"].tolist() == ["Oslo"]


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match=r"lacks a column that the model needs: age\. Did you mean 'agee'\?"):
        align_frame(X.rename(columns={"age": "agee"}), TABLE.columns)
    with pytest.raises(DataError, match="lacks 2 columns that the model needs: age, city"):
        align_frame(X.drop(columns=["age", "city"]), TABLE.columns)


def test_columns_that_models_do_not_use_may_be_absent() -> None:
    got = align_frame(X.drop(columns="always"), TABLE.columns)
    assert list(got.columns) == list(TABLE.X.columns)


def test_an_array_of_another_width_is_refused() -> None:
    with pytest.raises(DataError, match="takes 6 columns, and this array has 2"):
        align_frame(np.zeros((3, 2)), TABLE.columns)


def test_values_that_do_not_fit_are_missing_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    strange = X.head(2).astype({"age": object}).assign(age=["old", 30])
    with caplog.at_level(logging.WARNING, "automl"):
        got = align_frame(strange, TABLE.columns)
    assert got["age"].isna().tolist() == [True, False]
    assert "'age': 'old' is not numeric" in caplog.text


def test_booleans_are_understood_in_other_words() -> None:
    words = X.head(3).assign(smoker=["yes", "no", None])
    assert align_frame(words, TABLE.columns)["smoker"].tolist() == [True, False, pd.NA]
    numbers = X.head(2).assign(smoker=[1.0, 0.0])
    assert align_frame(numbers, TABLE.columns)["smoker"].tolist() == [True, False]

"""From whatever a user calls data to a Table, and every bad input as one sentence."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pydantic import ValidationError
from scipy import sparse
from sklearn import datasets

from automl.errors import DataError
from automl.learning.data.append import append_rows
from automl.learning.data.catalogue import CATALOGUE
from automl.learning.data.guardrails import Verdict
from automl.learning.data.load import load_like, load_table
from automl.learning.data.options import DataOptions
from automl.learning.data.table import Table

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
Y = np.array(["a", "b"] * 15)


def frame(rows: int = 30) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": np.linspace(20, 60, rows),
            "city": ["Oslo", "Rome", "Bonn"] * (rows // 3),
            "w": np.linspace(1, 2, rows),
            "who": [f"g{i % 5}" for i in range(rows)],
            "day": pd.date_range("2026-01-01", periods=rows).astype(str),
            "part": [i % 3 for i in range(rows)],
            "churned": ["yes", "no"] * (rows // 2),
        }
    )


def load(source, *, task: str = "classification", **options) -> Table:
    rest = {name: options.pop(name) for name in ("columns", "drop", "fold_column") if name in options}
    return load_table(source, DataOptions(**options), task=task, **rest)


def guardrail(table: Table, name: str):
    return next(g for g in table.guardrails if g.name == name)


@pytest.mark.parametrize(
    ("name", "shape", "first"),
    [
        ("iris", (150, 4), "setosa"),
        ("digits", (1797, 64), 0),
        ("wine", (178, 13), "class_0"),
        ("breast_cancer", (569, 30), "malignant"),
        ("diabetes", (442, 10), 151.0),
    ],
)
def test_the_catalogue_needs_nothing_but_a_name(name: str, shape: tuple[int, int], first) -> None:
    table = load(name)
    assert (table.name, table.target, table.X.shape, table.y[0]) == (name, "target", shape, first)


def test_iris_is_scikit_learns_own() -> None:
    bunch = datasets.load_iris(as_frame=True)
    table = load("iris")
    pd.testing.assert_frame_equal(table.X, bunch.data)
    assert table.y.tolist() == bunch.target_names[bunch.target].tolist()


@pytest.mark.parametrize(
    "source",
    [
        (X, Y),
        (X.tolist(), Y.tolist()),
        (pd.DataFrame(X), pd.Series(Y)),
        (pl.from_numpy(X), pl.Series(Y)),
        (X, Y[:, None]),
        (X, pd.Categorical(Y)),
        (sparse.csr_matrix(X), Y),
        datasets.load_iris().__class__(data=X, target=Y),
    ],
    ids=["arrays", "lists", "pandas", "polars", "column", "categories", "sparse", "bunch"],
)
def test_features_and_target_may_come_apart(source) -> None:
    table = load(source)
    assert (table.name, table.target) == ("data", "target")
    np.testing.assert_allclose(table.X.to_numpy(), X)
    assert table.y.tolist() == Y.tolist()


def test_a_table_without_target_lists_likely_ones() -> None:
    with pytest.raises(
        DataError, match=r"Name it with data\.target in the file, or target=.*likely ones are 'churned'"
    ):
        load(frame())
    with pytest.raises(DataError, match="likely ones are 'w', 'age'"):
        load(frame()[["city", "age", "w"]], task="regression")


def test_a_target_that_is_not_there_gets_the_nearest_name() -> None:
    with pytest.raises(DataError, match=r"target 'churn' is not a column of the table\. Did you mean 'churned'\?"):
        load(frame(), target="churn")


def test_columns_with_a_role_are_no_features() -> None:
    table = load(frame(), target="churned", weight="w", group="who", time="day", fold_column="part", drop=["city"])
    assert [column.name for column in table.columns] == list(table.X.columns) == ["age"]
    assert table.weight is not None
    assert table.weight.tolist() == frame()["w"].tolist()
    assert table.group is not None
    assert table.group[:2].tolist() == ["g0", "g1"]
    assert table.time is not None
    assert table.time.dtype == "datetime64[us]"
    assert table.fold is not None
    assert table.fold[:4].tolist() == [0, 1, 2, 0]


def test_roles_may_be_arrays() -> None:
    table = load((X, Y), weight=np.arange(30), group=["a"] * 15 + ["b"] * 15)
    assert table.weight is not None
    assert table.weight[-1] == 29
    assert table.X.shape == (30, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": "weigth"}, "weight column 'weigth' is not in the table"),
        ({"weight": "city"}, "must hold numbers"),
        ({"weight": [-1.0] * 30}, "must not be negative"),
        ({"weight": [1.0] * 3}, "has 3 values, and the table has 30 rows"),
        ({"group": [None, "a"] * 15}, "no value in 15 rows"),
        ({"time": "city"}, "holds 'Oslo', which is not a date"),
        ({"drop": ["citty"]}, r"'citty' is not in the table\. Did you mean 'city'"),
        ({"columns": {"agee": "numeric"}}, "'agee', which is not there"),
    ],
)
def test_mistaken_roles_are_refused(options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(frame(), target="churned", **options)


def test_rows_without_a_target_are_left_out_with_their_roles() -> None:
    data = frame().assign(churned=[None, 0, 1] * 10)
    table = load(data, target="churned", weight="w")
    assert table.n_rows == len(table.y) == 20
    assert table.y.dtype == np.int64  # floats only because values were missing
    assert table.weight is not None
    assert table.weight.tolist() == data["w"][data["churned"].notna()].tolist()
    assert table.X.index.tolist() == list(range(20))
    assert guardrail(table, "missing_target").message.startswith("10 of 30 rows")


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (frame().assign(churned=None), {"target": "churned"}, "'churned' has no value in any row"),
        (frame().head(2), {"target": "churned"}, "has 2 rows with a target; at least 5"),
        (frame()[["churned"]], {"target": "churned"}, "no column but churned"),
        (frame()[["age", "churned"]].assign(age=1), {"target": "churned"}, "No column can be learned from: age"),
        (frame().assign(churned=[[1]] * 30), {"target": "churned"}, "holds lists or objects"),
        (frame().head(0), {"target": "churned"}, "has no rows"),
        (pd.DataFrame(), {"target": "churned"}, "has no columns"),
        (pd.concat([frame(), frame()], axis=1), {"target": "churned"}, "Several columns are called 'churned'"),
        ((X, Y[:7]), {}, "X has 30 rows and y has 7 values"),
        ((X, np.column_stack([Y, Y])), {}, r"one value per row; this one has shape \(30, 2\)"),
        ((X, Y, Y), {}, "this one has 3 parts"),
        ((sparse.csr_matrix((100_000, 10_000)), np.zeros(100_000)), {}, "too many to write out"),
        (None, {}, "There is no data"),
        ("", {}, "path is empty"),
        (3.5, {}, "Cannot learn from float"),
    ],
)
def test_bad_data_is_refused_in_a_sentence(source, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(source, **options)
    assert "\n" not in str(caught.value)


def test_what_was_found_in_the_columns_is_said() -> None:
    data = frame().assign(
        unlimited=[np.inf, *range(29)],
        mixed=[1, "a", None] * 10,
        boxes=[[1]] * 30,
        nothing=None,
        code=[f"C{i:03d}" for i in range(30)],
        number=["1", "?", "3"] * 10,
        odd=[*map(str, range(29)), "abc"],
    )
    table = load(data, target="churned")
    verdicts = {g.name: (g.verdict, g.columns) for g in table.guardrails}
    assert verdicts["non_finite"] == (Verdict.DONE, ("unlimited",))
    assert verdicts["mixed_types"] == (Verdict.DONE, ("mixed",))
    assert verdicts["unsupported_columns"] == (Verdict.DONE, ("boxes",))
    assert verdicts["constant_columns"] == (Verdict.DONE, ("nothing",))
    assert verdicts["identifier_columns"] == (Verdict.DONE, ("code",))
    assert verdicts["text_numbers"] == (Verdict.DONE, ("number",))
    assert verdicts["mostly_numbers"] == (Verdict.ALERTED, ("odd",))
    assert verdicts["text_dates"] == (Verdict.DONE, ("day",))
    assert verdicts["missing_values"][1] == ("unlimited", "mixed", "number")
    assert verdicts["high_cardinality"][0] is Verdict.PASSED
    assert "boxes" not in table.X
    assert table.X["day"].dtype == "datetime64[us]"
    assert table.X["number"].isna().sum() == next(c.missing for c in table.columns if c.name == "number") == 10


def test_a_clean_table_passes_every_check() -> None:
    table = load((X, Y))
    assert {g.verdict for g in table.guardrails} == {Verdict.PASSED}
    assert {"missing_values", "constant_columns", "identifier_columns", "high_cardinality", "duplicate_rows"} <= {
        g.name for g in table.guardrails
    }


def test_repeated_rows_are_counted_with_their_target() -> None:
    twice = (np.vstack([X, X[:4]]), np.append(Y, Y[:4]))
    assert guardrail(load(twice), "duplicate_rows").message.startswith("4 of 34 rows")
    other_label = (np.vstack([X, X[:4]]), np.append(Y, ["b", "a", "b", "a"]))
    assert guardrail(load(other_label), "duplicate_rows").verdict is Verdict.PASSED


def test_a_declared_number_makes_the_rest_missing_and_says_so() -> None:
    data = frame().assign(odd=[*map(str, range(29)), "abc"])
    table = load(data, target="churned", columns={"odd": "numeric"})
    assert table.X["odd"].isna().sum() == 1
    assert "'abc' is not numeric" in guardrail(table, "unreadable").message


def test_many_categories_raise_an_alert() -> None:
    data = pd.DataFrame({"zone": [f"zone{i % 150}" for i in range(600)], "y": [0, 1] * 300})
    assert guardrail(load(data, target="y"), "high_cardinality").columns == ("zone",)


def test_a_mixed_target_is_read_as_text_and_says_so() -> None:
    table = load((X, np.array([1, "b"] * 15, dtype=object)))
    assert table.y[:2].tolist() == ["1", "b"]
    assert guardrail(table, "target_types").verdict is Verdict.DONE


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([True, False] * 15, "bool"),
        (pd.array([1, 2] * 15, dtype="Int64"), "int64"),
        (pd.Categorical([1, 2] * 15), "int64"),
        (["1", "2"] * 15, "object"),  # labels that are text stay text
        ([0.5, 1.5] * 15, "float64"),
    ],
)
def test_the_target_keeps_its_own_type(values, dtype: str) -> None:
    table = load((X, values))
    assert table.y.dtype == dtype
    assert not isinstance(table.y[0], str) or table.y[0] == "1"


def test_test_rows_are_understood_like_the_others(tmp_path: Path) -> None:
    train, test = frame().assign(code=[*map(str, range(29)), "?"]), frame(6).assign(code=["1", "-", "x", "4", "5", "6"])
    train.to_csv(tmp_path / "train.csv", index=False)
    test[test.columns[::-1]].assign(extra=1).to_csv(tmp_path / "test.csv", index=False)
    table = load(tmp_path / "train.csv", target="churned", weight="w", test=tmp_path / "test.csv")
    assert table.test is not None
    assert table.test.columns == table.columns
    assert table.test.X.dtypes.equals(table.X.dtypes)
    assert table.test.X["code"].isna().tolist() == [False, True, True, False, False, False]
    assert table.test.weight is not None
    assert table.test.name == "test"


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (frame(6).drop(columns="age"), "The test data cannot be used. The table lacks a column .* age"),
        (frame(6).drop(columns="churned"), "The test data cannot be used. The target 'churned' is not a column"),
        (frame(6).assign(churned=1.0), "holds numbers here, and text in training"),
        ("missing.csv", "The test data missing.csv cannot be used. There is no file missing.csv"),
    ],
)
def test_test_rows_that_do_not_fit_are_refused(test, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(frame(), target="churned", test=test)


def test_rows_can_be_appended() -> None:
    options = DataOptions(target="churned", weight="w")
    table = load_table(frame(), options, task="classification")
    more = load_like(frame(6).drop(columns="w"), options, table)
    joined = append_rows(table, more)
    assert joined.n_rows == len(joined.y) == 36
    assert joined.weight is not None
    assert joined.weight[-6:].tolist() == [1.0] * 6
    assert joined.columns == table.columns
    assert joined.fingerprint not in (table.fingerprint, more.fingerprint)


def test_five_thousand_columns_are_quick() -> None:
    wide = (RNG.normal(size=(200, 5000)), RNG.integers(0, 2, 200))
    start = time.perf_counter()
    table = load(wide)
    assert table.X.shape == (200, 5000)
    assert time.perf_counter() - start < 60  # a second on a quiet machine; quadratic work would take minutes


def test_options_take_the_source_alone() -> None:
    assert DataOptions.model_validate("churn.csv").source == "churn.csv"
    assert DataOptions.model_validate(frame()).target is None
    assert DataOptions(source="a.csv", target=3).target == "3"  # type: ignore[arg-type]
    assert load_table(None, DataOptions(source="iris"), task="classification").name == "iris"


def test_options_that_mean_nothing_are_refused() -> None:
    wrong = {"sorce": "a.csv"}
    with pytest.raises(ValidationError):
        DataOptions(**wrong)


def test_every_dataset_of_the_catalogue_is_documented() -> None:
    assert set(CATALOGUE) == {"iris", "digits", "wine", "breast_cancer", "diabetes"}

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from automl.errors import SpaceError
from automl.learning.data.kinds import Column, ColumnKind
from automl.learning.features.views import make_features

VIEWS = ("numeric", "native")


def columns(**kinds: str) -> tuple[Column, ...]:
    return tuple(Column(name, ColumnKind(kind), 0, 0) for name, kind in kinds.items())


@pytest.fixture
def mixed() -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """40 rows of every kind, with gaps."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "size": rng.normal(size=40),
            "colour": pd.Series(rng.choice(["red", "green", "blue"], 40), dtype="str"),
            "open": pd.array(rng.choice([True, False], 40), dtype="boolean"),
            "when": pd.date_range("2024-01-01", periods=40, freq="37h"),
            "note": pd.Series([f"a {'good' if i % 3 else 'bad'} thing" for i in range(40)], dtype="str"),
            "same": 1,
        }
    )
    X.loc[::7, ["size", "colour", "open", "when", "note"]] = None
    kinds = columns(size="numeric", colour="categorical", open="boolean", when="date", note="text", same="constant")
    return X, kinds


def test_numeric_view_has_no_gaps_and_one_scale(mixed: Any) -> None:
    X, kinds = mixed
    view = make_features("numeric", kinds)
    matrix = view.fit_transform(X)
    assert matrix.dtype == np.float64
    assert matrix.shape == (40, len(view.get_feature_names_out()))
    assert np.isfinite(matrix).all()
    numbers = matrix[:, : len(view.number_names_)]
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(numbers.std(axis=0), 1)


def test_native_view_keeps_gaps_and_codes_categories(mixed: Any) -> None:
    X, kinds = mixed
    view = make_features("native", kinds).fit(X)
    matrix = view.transform(X)
    assert matrix.dtype == np.float32
    assert view.categorical_indices_ == [matrix.shape[1] - 1]
    assert view.get_feature_names_out()[-1] == "colour"
    np.testing.assert_array_equal(np.isnan(matrix[:, -1]), X["colour"].isna())
    np.testing.assert_array_equal(np.isnan(matrix[:, 0]), X["size"].isna())
    assert set(np.unique(matrix[:, 1][X["open"].notna()])) == {0.0, 1.0}


def test_columns_that_are_not_used_leave_no_trace(mixed: Any) -> None:
    X, kinds = mixed
    for name in VIEWS:
        view = make_features(name, kinds).fit(X)
        assert not [column for column in view.get_feature_names_out() if column.startswith("same")]
        np.testing.assert_array_equal(view.transform(X.drop(columns="same")), view.transform(X))


@pytest.mark.parametrize("name", VIEWS)
def test_a_row_becomes_the_same_alone_as_among_others(name: str, mixed: Any) -> None:
    X, kinds = mixed
    view = make_features(name, kinds).fit(X)
    together = view.transform(X)
    for row in range(len(X)):
        np.testing.assert_array_equal(view.transform(X.iloc[[row]])[0], together[row])


@pytest.mark.parametrize("name", VIEWS)
def test_transform_learns_nothing(name: str, mixed: Any) -> None:
    X, kinds = mixed
    view = make_features(name, kinds).fit(X[:20])
    before = view.transform(X[:20])
    view.transform(X[20:])
    np.testing.assert_array_equal(view.transform(X[:20]), before)
    assert not np.array_equal(make_features(name, kinds).fit(X).transform(X[:20]), before, equal_nan=True)


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_estimators_that_clone_and_pickle(name: str, mixed: Any) -> None:
    X, kinds = mixed
    view = make_features(name, kinds).fit(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(view)).transform(X), view.transform(X))
    fresh = clone(view)
    assert not hasattr(fresh, "feature_names_")
    np.testing.assert_array_equal(fresh.fit(X).transform(X), view.transform(X))


def test_values_missing_at_predict_though_none_were_in_training() -> None:
    X = pd.DataFrame({"size": [1.0, 2.0, 9.0], "colour": pd.Series(["a", "a", "b"], dtype="str")})
    gap = pd.DataFrame({"size": [np.nan], "colour": pd.Series([None], dtype="str")})
    kinds = columns(size="numeric", colour="categorical")
    numeric = make_features("numeric", kinds).fit(X)
    median = numeric.transform(X)[1, 0]
    np.testing.assert_array_equal(numeric.transform(gap), [[median, 0.0, 0.0]])
    assert np.isnan(make_features("native", kinds).fit(X).transform(gap)).all()


def test_numeric_view_marks_what_was_missing_in_training() -> None:
    X = pd.DataFrame({"size": [1.0, np.nan, 3.0, 5.0], "age": [1.0, 2.0, 3.0, 4.0]})
    view = make_features("numeric", columns(size="numeric", age="numeric")).fit(X)
    assert list(view.get_feature_names_out()) == ["size", "age", "size:missing"]
    np.testing.assert_array_equal(view.transform(X)[:, 2], [0, 1, 0, 0])
    np.testing.assert_array_equal(view.transform(X)[1, 0], view.transform(X)[2, 0])  # 3 is the median of 1, 3, 5


def test_an_unseen_category_counts_as_rare() -> None:
    X = pd.DataFrame({"c": pd.Series(["a"] * 5 + ["b"] * 4 + ["x", "y"], dtype="str")})
    unseen = pd.DataFrame({"c": pd.Series(["never"], dtype="str")})
    numeric = make_features("numeric", columns(c="categorical")).fit(X)
    assert list(numeric.get_feature_names_out()) == ["c=a", "c=b", "c=(rare)"]
    np.testing.assert_array_equal(numeric.transform(unseen), [[0, 0, 1]])
    np.testing.assert_array_equal(numeric.transform(X)[-1:], [[0, 0, 1]])
    assert np.isnan(make_features("native", columns(c="categorical")).fit(X).transform(unseen)).all()


def test_one_hot_columns_are_capped() -> None:
    X = pd.DataFrame({"c": pd.Series([f"k{i % 300}" for i in range(900)], dtype="str")})
    view = make_features("numeric", columns(c="categorical")).fit(X)
    assert view.transform(X).shape[1] == 51  # and one for the rare
    assert (view.transform(X).sum(axis=1) == 1).all()


def test_codes_fall_in_frequency() -> None:
    X = pd.DataFrame({"c": pd.Series(["z"] * 3 + ["a"] + ["m"] * 2, dtype="str")})
    matrix = make_features("native", columns(c="categorical")).fit(X).transform(X)
    np.testing.assert_array_equal(matrix[:, 0], [0, 0, 0, 2, 1, 1])


def test_a_column_that_is_all_missing_in_training_says_nothing() -> None:
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": np.nan, "c": pd.Series([None] * 3, dtype="str")})
    later = pd.DataFrame({"a": [1.0], "b": [7.0], "c": pd.Series(["new"], dtype="str")})
    kinds = columns(a="numeric", b="numeric", c="categorical")
    native = make_features("native", kinds).fit(X)
    np.testing.assert_array_equal(native.transform(later), [[1.0, 0.0, 0.0]])
    assert np.isfinite(make_features("numeric", kinds).fit(X).transform(later)).all()


def test_calendar_parts_that_do_not_vary_are_left_out() -> None:
    X = pd.DataFrame({"d": pd.date_range("2024-03-01", periods=5, freq="D")})
    view = make_features("native", columns(d="date")).fit(X)
    assert list(view.get_feature_names_out()) == ["d:days", "d:day", "d:weekday"]
    assert view.transform(X)[0].tolist() == [19783.0, 1.0, 4.0]  # a Friday


def test_words_that_repeat_are_counted() -> None:
    X = pd.DataFrame({"t": pd.Series(["good stay", "bad stay", "good day", "fine"], dtype="str")})
    view = make_features("numeric", columns(t="text")).fit(X)
    names = list(view.get_feature_names_out())
    assert {"t:characters", "t:words", "t:word=good"} <= set(names)
    good = view.transform(X)[:, names.index("t:word=good")]
    assert good[0] == good[2] > good[1] == good[3]


def test_numbers_too_large_for_float32_stay_finite_and_in_order() -> None:
    X = pd.DataFrame({"a": [-1e300, 0.0, 1e300]})
    matrix = make_features("native", columns(a="numeric")).fit(X).transform(X)
    assert np.isfinite(matrix).all()
    assert matrix[0, 0] < matrix[1, 0] < matrix[2, 0]


def test_a_constant_column_is_not_divided_by_rounding_noise() -> None:
    X = pd.DataFrame({"a": [0.1 + 0.2] * 3})
    assert np.abs(make_features("numeric", columns(a="numeric")).fit(X).transform(X)).max() < 1e-9


def test_parameters_say_how_many_categories_stay_apart() -> None:
    X = pd.DataFrame({"c": pd.Series(["a"] * 5 + ["b"] * 4 + ["x"] * 3 + ["y"] * 3, dtype="str")})
    view = make_features({"name": "numeric", "max_levels": 1}, columns(c="categorical")).fit(X)
    assert list(view.get_feature_names_out()) == ["c=a", "c=(rare)"]
    view = make_features({"name": "numeric", "min_share": 0.25}, columns(c="categorical")).fit(X)
    assert list(view.get_feature_names_out()) == ["c=a", "c=b", "c=(rare)"]  # a quarter of 15 rows is 3.75


@pytest.mark.parametrize("name", VIEWS)
def test_parameters_say_what_dates_and_texts_become(name: str, mixed: Any) -> None:
    X, kinds = mixed
    view = make_features({"name": name, "dates": ["hour", "year"], "words": 1}, kinds).fit(X)
    named = list(view.get_feature_names_out())
    assert [of for of in named if of.startswith("when") and not of.endswith("missing")] == ["when:hour"]  # one year
    assert len([of for of in named if of.startswith("note:word=")]) == 1
    none = make_features({"name": name, "dates": [], "words": 0}, kinds).fit(X)
    assert not [of for of in none.get_feature_names_out() if of.startswith(("when", "note:word="))]
    assert len(none.transform(X)) == len(X)
    np.testing.assert_array_equal(clone(none).fit(X).transform(X), none.transform(X))


def test_an_unknown_view_is_refused() -> None:
    with pytest.raises(SpaceError, match="no view 'raw'; choose one of 'numeric', 'native'"):
        make_features("raw", ())


@given(
    train=st.lists(st.one_of(st.none(), st.sampled_from("abc"), st.text(max_size=3)), min_size=2, max_size=30),
    later=st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=10),
)
def test_any_categories_give_finite_one_hot_rows(train: list[str | None], later: list[str | None]) -> None:
    def frame(values: list[str | None]) -> pd.DataFrame:
        return pd.DataFrame({"c": pd.Series(values, dtype="str")})

    view = make_features("numeric", columns(c="categorical")).fit(frame(train))
    for values in (train, later):
        matrix = view.transform(frame(values))
        assert set(np.unique(matrix)) <= {0.0, 1.0}
        assert (matrix.sum(axis=1) <= 1).all()
    if any(value is not None for value in train):
        assert (view.transform(frame(train)).sum(axis=1) == 1).all()

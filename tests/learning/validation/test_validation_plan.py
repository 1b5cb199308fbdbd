"""Every strategy: what a split must hold for any data, and what is said where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import ConfigError, DataError, WorkspaceError
from automl.learning.validation.options import ValidationOptions
from automl.learning.validation.plan import SplitPlan, make_plan


def plan(y: Any, *, stratify: bool = True, options: dict[str, Any] | None = None, **given: Any) -> SplitPlan:
    return make_plan(ValidationOptions(**(options or {})), y=np.asarray(y), n_rows=len(y), stratify=stratify, **given)


def check_folds(made: SplitPlan) -> None:
    for fold in made.folds:
        assert fold.train.size
        assert fold.valid.size
        rows = np.concatenate([fold.train, fold.valid])
        assert np.unique(rows).size == rows.size
        assert rows.min() >= 0
        assert rows.max() < made.n_rows


def check_partition(made: SplitPlan) -> None:
    """In every repeat each row is validated on once, and trained on in all other folds."""
    check_folds(made)
    per_repeat = len(made.folds) // made.repeats
    for start in range(0, len(made.folds), per_repeat):
        valid = np.concatenate([fold.valid for fold in made.folds[start : start + per_repeat]])
        assert np.array_equal(np.sort(valid), np.arange(made.n_rows))
    assert all(fold.train.size + fold.valid.size == made.n_rows for fold in made.folds)


labels = st.lists(st.integers(0, 4), min_size=2, max_size=80)


@given(labels, st.integers(2, 10), st.integers(1, 3), st.integers(0, 99))
def test_stratified_folds_deal_every_class_evenly(y: list[int], folds: int, repeats: int, seed: int) -> None:
    folds = min(folds, len(y))
    made = plan(y, options={"strategy": "kfold", "folds": folds, "repeats": repeats}, seed=seed)
    check_partition(made)
    assert (len(made.folds), made.repeats) == (folds * repeats, repeats)
    counts = np.array([np.bincount(np.array(y)[fold.valid], minlength=5) for fold in made.folds])
    for repeat in range(repeats):
        part = counts[repeat * folds : (repeat + 1) * folds]
        assert (np.ptp(part, axis=0) <= 1).all()  # each class
        assert np.ptp(part.sum(axis=1)) <= 1  # all rows


@given(labels, st.booleans())
def test_auto_never_fails_on_two_rows_or_more(y: list[int], stratify: bool) -> None:
    check_partition(plan(y, stratify=stratify))


@given(labels, st.floats(0.01, 0.99), st.integers(0, 99))
def test_a_holdout_keeps_its_share_and_never_takes_a_whole_class(y: list[int], fraction: float, seed: int) -> None:
    made = plan(y, options={"fraction": fraction}, seed=seed)
    check_folds(made)
    (fold,) = made.folds
    total = np.bincount(y, minlength=5)
    out = np.bincount(np.array(y)[fold.valid], minlength=5)
    singles = int((total == 1).sum())
    if total.max() > 1:
        assert (out[total > 0] < total[total > 0]).all()
        assert (np.abs(out - fraction * total) <= 2).all()  # one by rounding, one given back
        assert abs(fold.valid.size - fraction * len(y)) <= 1 + singles + (total > 0).sum()


@pytest.mark.parametrize(
    ("rows", "strategy", "folds", "repeats"),
    [(1000, "kfold", 15, 3), (1001, "kfold", 5, 1), (20_000, "kfold", 5, 1), (20_001, "holdout", 1, 1)],
)
def test_auto_goes_by_size(rows: int, strategy: str, folds: int, repeats: int) -> None:
    made = plan(np.arange(rows) % 3)
    assert (made.strategy, len(made.folds), made.repeats) == (strategy, folds, repeats)


def test_what_is_given_overrides_auto() -> None:
    y = np.arange(30_000) % 2
    assert len(plan(y, options={"folds": 4}).folds) == 4
    assert len(plan(y, options={"repeats": 2}).folds) == 10
    assert plan(y[:100], options={"fraction": 0.1}).folds[0].valid.size == 10


def test_seeds_and_repeats_shuffle_and_the_same_seed_does_not() -> None:
    y = np.arange(100) % 2
    assert plan(y, seed=1) == plan(y, seed=1)
    assert plan(y, seed=1).hash != plan(y, seed=2).hash
    made = plan(y)
    assert len({fold.valid.tobytes() for fold in made.folds}) == 15


def test_rare_classes_cost_auto_folds_but_not_below_three() -> None:
    made = plan([0] * 50 + [1] * 4)
    assert len(made.folds) == 4 * made.repeats
    assert made.notes == ("A class has only 4 rows: 4 folds instead of 5.",)
    assert all((np.array([0] * 50 + [1] * 4)[fold.valid] == 1).sum() == 1 for fold in made.folds)
    assert len(plan([0] * 50 + [1] * 2).folds) == 3 * 3
    assert len(plan([0] * 50 + [1]).folds) == 5 * 3  # a single row can be in one fold only, whatever their number


def test_folds_that_were_asked_for_are_kept_for_rare_classes() -> None:
    assert len(plan([0] * 50 + [1] * 2, options={"folds": 5}).folds) == 5


@pytest.mark.parametrize("y", [["a", "b", None, "a"] * 5, [1.5, np.nan, 2.5] * 5, [True, False] * 5, [(1,), "x"] * 5])
def test_targets_of_any_type_are_stratified(y: list[Any]) -> None:
    array = np.empty(len(y), dtype=object)
    array[:] = y
    check_partition(plan(array))


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=2, max_size=80),
    st.integers(2, 6),
    st.booleans(),
)
def test_groups_stay_whole(rows: list[tuple[int, int]], folds: int, stratify: bool) -> None:
    group, y = np.array(rows).T
    n_groups = np.unique(group).size
    if n_groups < 2:
        with pytest.raises(DataError, match="single value"):
            plan(y, group=group)
        return
    made = plan(y, stratify=stratify, options={"folds": min(folds, n_groups)}, group=group)
    check_partition(made)
    assert made.strategy == "group"
    assert len(made.folds) == min(folds, n_groups)
    assert all(not set(group[fold.train]) & set(group[fold.valid]) for fold in made.folds)


def test_group_folds_are_balanced_in_rows_and_classes() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 200, 4000)
    y = (rng.random(4000) < 0.1 + 0.2 * (group % 2)).astype(int)
    made = plan(y, group=group)
    sizes = np.array([fold.valid.size for fold in made.folds])
    shares = np.array([y[fold.valid].mean() for fold in made.folds])
    assert np.ptp(sizes) < 80  # of 800
    assert np.ptp(shares) < 0.02  # scikit-learn's StratifiedGroupKFold: about the same


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    group = np.array(["a", "a", None, None, "b", np.nan] * 5, dtype=object)
    made = plan(np.zeros(30), stratify=False, group=group)
    check_partition(made)
    assert made.notes == ("15 rows have no group: each is its own group.",)


def test_auto_takes_fewer_folds_for_few_groups_and_says_so() -> None:
    made = plan(np.zeros(9), stratify=False, group=np.arange(9) % 3)
    assert len(made.folds) == 3
    assert made.notes == ("There are 3 groups: 3 folds instead of 5.",)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60), st.integers(2, 6))
def test_time_folds_are_trained_on_the_past(times: list[int], folds: int) -> None:
    time = np.array(times)
    if np.unique(time).size < 2:
        with pytest.raises(DataError, match="single value"):
            plan(time, options={"folds": folds}, time=time)
        return
    made = plan(time, options={"folds": folds}, time=time)
    check_folds(made)
    assert 1 <= len(made.folds) <= folds
    for fold in made.folds:
        assert time[fold.train].max() < time[fold.valid].min()
        assert (np.diff(time[fold.train]) >= 0).all()
    validated = np.concatenate([fold.valid for fold in made.folds])
    assert np.array_equal(np.sort(validated), made.validated())


@pytest.mark.parametrize(
    "time",
    [
        pd.date_range("2024-01-01", periods=24, freq="D").to_numpy()[::-1],
        np.array([f"2024-01-{day:02d}" for day in range(24, 0, -1)], dtype=object),
        pd.Series([f"2024-01-{day:02d}" for day in range(24, 0, -1)], dtype="str").to_numpy(),
        np.arange(24.0, 0.0, -1.0),
        np.array([str(n) for n in range(2024, 2000, -1)], dtype=object),
    ],
)
def test_times_of_every_kind_are_ordered(time: np.ndarray) -> None:
    made = plan(np.zeros(24), stratify=False, options={"folds": 3}, time=time)
    assert made.strategy == "time"
    assert [fold.valid.tolist() for fold in made.folds] == [
        list(range(17, 11, -1)), list(range(11, 5, -1)), list(range(5, -1, -1))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("time", "said"),
    [(["soon", "later"] * 5, "not an ISO date"), ([1.0, np.nan] * 5, "missing in 5 rows"), ([3] * 10, "single value")],
)
def test_times_that_cannot_be_ordered(time: list[Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        plan(np.zeros(10), stratify=False, time=np.array(time))


def test_a_fold_column() -> None:
    column = np.array(["a", "b", "train", None, "a", "b"], dtype=object)
    made = plan(np.zeros(6), stratify=False, fold_column=column)
    assert made.strategy == "predefined"
    assert [(f.train.tolist(), f.valid.tolist()) for f in made.folds] == [
        ([1, 2, 3, 5], [0, 4]),
        ([0, 2, 3, 4], [1, 5]),
    ]
    assert made.validated().tolist() == [0, 1, 4, 5]


def test_minus_one_is_never_held_out() -> None:
    made = plan(np.zeros(4), stratify=False, fold_column=np.array([-1, 0, -1, 0]))
    assert [fold.valid.tolist() for fold in made.folds] == [[1, 3]]


@pytest.mark.parametrize(
    ("column", "said"),
    [([1, 1, 1], "single value"), ([-1, -1, -1], "holds out no row"), (["train"] * 3, "holds out no row")],
)
def test_fold_columns_that_are_none(column: list[Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        plan(np.zeros(3), stratify=False, fold_column=np.array(column))


def test_a_fold_column_with_a_value_per_row_is_no_fold_column() -> None:
    with pytest.raises(DataError, match="2,000 different values"):
        plan(np.zeros(2000), stratify=False, fold_column=np.arange(2000))


def test_validation_rows() -> None:
    made = plan(np.zeros(5), stratify=False, options={"source": "valid.csv"}, valid_rows=np.array([3, 4]))
    assert [(f.train.tolist(), f.valid.tolist()) for f in made.folds] == [([0, 1, 2], [3, 4])]
    with pytest.raises(DataError, match="leaves no rows"):
        plan(np.zeros(2), stratify=False, valid_rows=np.array([0, 1]))


@pytest.mark.parametrize(
    ("options", "data", "said"),
    [
        ({"strategy": "group"}, {}, "validation.strategy: strategy group needs data.group"),
        ({"strategy": "time"}, {}, "validation.strategy: strategy time needs data.time"),
        ({"folds": 30}, {}, "validation.folds: 30 folds need as many rows; there are 20"),
        ({"folds": 30}, {"group": np.arange(20)}, "30 folds need as many groups; there are 20"),
        ({}, {"group": np.arange(20), "time": np.arange(20)}, "choose group or time"),
        ({"fraction": 0.2}, {"group": np.arange(20)}, "validation.fraction: fraction does not go with data.group"),
        ({"repeats": 2}, {"time": np.arange(20)}, "validation.repeats: repeats does not go with data.time"),
        ({"strategy": "predefined", "fold": "part"}, {}, "needs source or fold"),
    ],
)
def test_options_that_do_not_fit_the_data(options: dict[str, Any], data: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plan(np.arange(20) % 2, options=options, **data)


@pytest.mark.parametrize(("rows", "said"), [(0, "There are no rows"), (1, "There is 1 row")])
def test_one_row_cannot_be_split(rows: int, said: str) -> None:
    with pytest.raises(DataError, match=said):
        plan(np.zeros(rows))


@pytest.mark.parametrize(
    "data",
    [{}, {"time": np.arange(60) % 7}, {"group": np.arange(60) % 4}, {"fold_column": np.arange(60) % 3 - 1}],
)
def test_saved_and_loaded_it_is_the_same(tmp_path: Path, data: dict[str, Any]) -> None:
    made = plan(np.arange(60) % 2, **data)
    made.save(tmp_path / "plan.npz")
    again = SplitPlan.load(tmp_path / "plan.npz")
    assert again == made
    assert hash(again) == hash(made)
    assert (again.strategy, again.repeats, again.description, again.notes) == (
        made.strategy, made.repeats, made.description, made.notes
    )  # fmt: skip
    for ours, theirs in zip(made.folds, again.folds, strict=True):
        assert np.array_equal(ours.train, theirs.train)
        assert np.array_equal(ours.valid, theirs.valid)


def test_the_hash_depends_on_every_row_of_every_fold() -> None:
    pairs = [([0, 1], [2, 3]), ([2, 3], [0, 1])]
    base = SplitPlan.of("kfold", pairs, 4)
    others = [
        SplitPlan.of("holdout", pairs, 4),
        SplitPlan.of("kfold", pairs, 5),
        SplitPlan.of("kfold", pairs, 4, repeats=2),
        SplitPlan.of("kfold", pairs[::-1], 4),
        SplitPlan.of("kfold", [([0], [1, 2, 3]), pairs[1]], 4),
        SplitPlan.of("kfold", [([1, 0], [2, 3]), pairs[1]], 4),
    ]
    assert len({made.hash for made in (base, *others)}) == 7
    assert SplitPlan.of("kfold", pairs, 4, description="said otherwise") == base


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "plan.npz"
    with pytest.raises(WorkspaceError, match="Cannot read"):
        SplitPlan.load(path)
    plan([0, 1] * 9).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(WorkspaceError, match="is damaged"):
        SplitPlan.load(path)
    with np.load(_restored(path, content)) as arrays:
        kept = dict(arrays)
    np.savez(path, **{**kept, "valid_0": kept["valid_1"]})
    with pytest.raises(WorkspaceError, match="do not have the hash"):
        SplitPlan.load(path)
    np.savez(path, **{**kept, "format_version": np.int64(99)})
    with pytest.raises(WorkspaceError, match="install a newer automl"):
        SplitPlan.load(path)


def _restored(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_rows_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        plan([0, 1] * 9).folds[0].valid[0] = 3


def test_the_plan_of_a_given_seed_never_changes() -> None:
    """Champions are compared on the same split plan: an upgrade must not move a row."""
    assert plan(np.arange(150) // 50).hash[:12] == "99e9ff98aebe"

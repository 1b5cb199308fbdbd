"""The matrices of folds: what views may learn from, and which of them a cache tells apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.learning.data.kinds import Column, ColumnKind
from automl.learning.training.fold_features import FoldMatrices, Matrices, SplitTable
from automl.learning.validation.options import ValidationOptions
from automl.learning.validation.plan import make_plan

ROWS = 140_000  # one column of so many is above the size up to which nothing is cached on disk
VIEW = '''
import numpy as np
from automl.learning.features.tables import TableView


class TargetMeans(TableView):
    """Each category as the mean target, by weight, of the other training rows that have it."""

    def fit(self, X, y=None, weight=None):
        self.fit_transform(X, y, weight)
        return self

    def fit_transform(self, X, y=None, weight=None):
        (self.name_,) = self._named("categorical")
        self.categorical_indices_, self.feature_names_ = [], ["mean", "seen"]
        weight = np.ones(len(y)) if weight is None else weight
        codes = X[self.name_].str[1:].astype(int).to_numpy()
        self.sums_, self.weights_ = (np.bincount(codes, part) for part in (weight * y, weight))
        without_own = (self.sums_[codes] - weight * y) / (self.weights_[codes] - weight)
        return np.column_stack([without_own, self.weights_[codes]])

    def transform(self, X):
        codes = X[self.name_].str[1:].astype(int).to_numpy()
        return np.column_stack([self.sums_[codes] / self.weights_[codes], self.weights_[codes]])
'''


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution that brings the view ``target_means``."""
    information = tmp_path / "site" / "target_means-1.0.dist-info"
    information.mkdir(parents=True)
    (tmp_path / "site" / "target_means.py").write_text(VIEW)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: target-means\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[automl.views]\ntarget_means = target_means:TargetMeans\n")
    monkeypatch.syspath_prepend(tmp_path / "site")


@pytest.fixture(scope="module")
def table() -> SplitTable:
    draw = np.random.default_rng(0)
    X = pd.DataFrame({"c": np.char.add("c", draw.integers(0, 5, ROWS).astype(str)).astype(object)})
    plan = make_plan(
        ValidationOptions(strategy="kfold", folds=2), y=draw.normal(size=ROWS), n_rows=ROWS, stratify=False
    )
    column = Column("c", ColumnKind.CATEGORICAL, 0, 5)
    return SplitTable(X, (column,), plan, draw.normal(size=ROWS))


def test_parameters_of_a_view_do_not_meet_in_a_worker(table: SplitTable) -> None:
    matrices = FoldMatrices(table)
    few = {"name": "numeric", "max_levels": 2}
    widths = [matrices.get(0, view=view).train.shape[1] for view in ("numeric", few, "numeric")]
    assert widths == [5, 3, 5]  # two categories and what is rare


def means(table: SplitTable, cache: Path | None = None) -> Matrices:
    return FoldMatrices(table, cache).get(0, view="target_means")


def test_a_view_learns_from_the_target_and_the_weights_of_training_rows(table: SplitTable) -> None:
    weight = np.where(np.arange(ROWS) % 2, 1.0, 3.0)
    made = means(replace(table, weight=weight))
    category = table.X["c"].iloc[made.valid_rows[0]]
    rows = made.train_rows[(table.X["c"].iloc[made.train_rows] == category).to_numpy()]
    expected = np.average(table.y[rows], weights=weight[rows])
    np.testing.assert_allclose(made.valid[0], [expected, weight[rows].sum()])


def test_the_target_of_validation_rows_reaches_no_view(table: SplitTable) -> None:
    made = means(table)
    y = table.y.copy()
    y[made.valid_rows] = np.nan
    blind = means(replace(table, y=y))
    np.testing.assert_array_equal(blind.train, made.train)
    np.testing.assert_array_equal(blind.valid, made.valid)
    assert np.isfinite(blind.valid).all()


def test_training_rows_may_become_something_else_than_rows_to_predict(table: SplitTable) -> None:
    made = means(table)
    y = table.y.copy()
    y[made.train_rows[0]] += 1e6
    np.testing.assert_allclose(means(replace(table, y=y)).train[0], made.train[0])  # without its own part


def test_other_targets_weights_and_columns_do_not_meet_in_a_cache(table: SplitTable, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = means(table, cache)
    assert isinstance(first.train, np.memmap)
    others = (
        replace(table, y=-table.y),
        replace(table, weight=np.arange(1.0, ROWS + 1)),
        replace(table, columns=(replace(table.columns[0], unique=6),)),
    )
    for count, other in enumerate(others, start=2):
        np.testing.assert_array_equal(means(other, cache).train, means(other).train)
        assert len(list(cache.glob("*/train.npy"))) == count
    np.testing.assert_array_equal(means(table, cache).train, first.train)
    assert len(list(cache.glob("*/train.npy"))) == len(others) + 1

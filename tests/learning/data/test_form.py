"""Rows of a table and pictures answer the same questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.errors import WorkspaceError
from automl.learning.data.form import form_for, form_of, forms
from automl.learning.data.images.images import Images
from automl.learning.data.kinds import Column, ColumnKind, ImageColumn
from automl.learning.data.rows import as_rows

FRAME = pd.DataFrame({"a": [1.0, 2.0, 1.0, 4.0], "b": pd.Series(["x", "y", "x", "y"], dtype="str")})
PICTURES = Images(np.random.default_rng(0).integers(0, 256, (3, 5, 4, 1), dtype=np.uint8).take([0, 1, 0, 2], axis=0))
KINDS: dict[str, tuple[Any, tuple[Column, ...]]] = {
    "frame": (FRAME, (Column("a", ColumnKind.NUMERIC, 0, 3), Column("b", ColumnKind.CATEGORICAL, 0, 2))),
    "pictures": (PICTURES, (ImageColumn("image", ColumnKind.IMAGE, 0, 3, height=5, width=4, channels=1),)),
}
both = pytest.mark.parametrize(("X", "columns"), KINDS.values(), ids=KINDS)


@both
def test_rows_and_their_columns_agree_on_the_form(X: Any, columns: tuple[Column, ...]) -> None:
    assert form_of(X) is form_for(columns)
    assert form_of(X) in list(forms())


@both
def test_hashes_tell_rows_apart_whole_and_in_parts(X: Any, columns: tuple[Column, ...]) -> None:
    form = form_of(X)
    first, second, third, fourth = form.hashes(X)
    assert first == third
    assert len({first, second, fourth}) == 3
    for part in form.parts(X):
        of_all = part(np.arange(4))
        assert of_all[0] == of_all[2]
        np.testing.assert_array_equal(part(np.array([3, 1])), of_all[[3, 1]])


@both
def test_rows_come_back_from_disk_and_from_users_as_they_were(
    X: Any, columns: tuple[Column, ...], tmp_path: Path
) -> None:
    form = form_of(X)
    form.write(X, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [form.file]
    for back in (form.read(tmp_path), as_rows(X if isinstance(X, pd.DataFrame) else X.pixels, columns)):
        assert form.layout(back) == form.layout(X)
        np.testing.assert_array_equal(form.hashes(back), form.hashes(X))


@both
def test_rows_follow_one_another(X: Any, columns: tuple[Column, ...]) -> None:
    form = form_of(X)
    joined = form.concat(X, X.head(1))
    np.testing.assert_array_equal(form.hashes(joined), form.hashes(X)[[0, 1, 2, 3, 0]])


@both
def test_rows_that_are_gone_or_torn_are_said(X: Any, columns: tuple[Column, ...], tmp_path: Path) -> None:
    form = form_of(X)
    for left in (None, b"torn"):
        if left is not None:
            (tmp_path / form.file).write_bytes(left)
        with pytest.raises(WorkspaceError, match="Cannot read"):
            form.read(tmp_path)


def test_columns_mean_something_by_themselves_and_pixels_do_not() -> None:
    assert form_of(FRAME).single_columns(FRAME) is FRAME
    assert form_of(PICTURES).single_columns(PICTURES) is None


def test_a_column_comes_back_as_what_it_was() -> None:
    from dataclasses import asdict

    for _, columns in KINDS.values():
        assert tuple(Column.read(asdict(column)) for column in columns) == columns

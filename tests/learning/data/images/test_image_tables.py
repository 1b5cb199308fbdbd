"""Parquet with a column of pictures, tables in memory, arrays and .npz."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from automl.errors import DataError
from automl.learning.data.images.convert import as_images
from automl.learning.data.images.images import Images
from automl.learning.data.images.load import load_images, load_images_like
from automl.learning.data.kinds import ImageColumn
from automl.learning.data.options import DataOptions

Tables = Callable[..., pd.DataFrame]
RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (20, 6, 7, 3), np.uint8)
Y = np.arange(20) % 3


def pixels(table: object) -> np.ndarray:
    assert isinstance(table.X, Images)  # type: ignore[attr-defined]
    return table.X.pixels  # type: ignore[attr-defined]


@pytest.mark.parametrize("struct", [True, False], ids=["struct", "binary"])
def test_one_parquet_file(picture_table: Tables, tmp_path: Path, struct: bool) -> None:
    picture_table(12, struct=struct).to_parquet(tmp_path / "colours.parquet")
    table = load_images(tmp_path / "colours.parquet")
    assert (table.name, table.target, table.y.tolist()) == ("colours", "label", [0, 1] * 6)
    assert pixels(table)[:2, 0, 0].tolist() == [[255, 0, 0], [0, 255, 0]]


@pytest.mark.parametrize("place", ["", "data"])
def test_shards_with_parts_in_their_names(picture_table: Tables, tmp_path: Path, place: str) -> None:
    folder = tmp_path / "colours"
    (folder / place).mkdir(parents=True)
    for number in range(3):
        picture_table(300).to_parquet(folder / place / f"train-{number:05}-of-00003.parquet")  # more than one batch
    picture_table(4).to_parquet(folder / place / "test-00000-of-00001.parquet")
    table = load_images(folder)
    assert table.name == "colours" and table.n_rows == 900
    assert table.test is not None and table.test.y.tolist() == [0, 1, 0, 1]
    assert pixels(table)[:, 0, 0].argmax(axis=1).tolist() == table.y.tolist()


def test_a_part_may_stand_anywhere_in_a_name(picture_table: Tables, tmp_path: Path) -> None:
    folder = tmp_path / "colours"
    folder.mkdir()
    for name, count in {"colours-train": 20, "colours_test": 4, "colours-extra": 7}.items():
        picture_table(count).to_parquet(folder / f"{name}.parquet")
    table = load_images(folder)
    assert table.n_rows == 20 and table.test is not None and table.test.n_rows == 4
    (unread,) = [each for each in table.guardrails if each.name == "unread_parts"]
    assert "colours-extra.parquet" in unread.message


def test_files_without_a_part_are_all_trained_on(picture_table: Tables, tmp_path: Path) -> None:
    folder = tmp_path / "colours"
    folder.mkdir()
    for name in ("a", "b"):
        picture_table(10).to_parquet(folder / f"{name}.parquet")
    table = load_images(folder)
    assert table.n_rows == 20 and table.test is None


def test_columns_beside_the_picture_may_have_a_role(picture_table: Tables, tmp_path: Path) -> None:
    frame = picture_table(12).assign(
        kind=[f"k{i % 2}" for i in range(12)], patient=np.arange(12) // 3, w=0.5, f=np.arange(12) % 2
    )
    frame.to_parquet(tmp_path / "colours.parquet")
    options = DataOptions(target="kind", group="patient", weight="w")
    table = load_images(tmp_path / "colours.parquet", options, fold_column="f")
    assert table.fold is not None and table.fold.tolist() == [0, 1] * 6
    assert table.target == "kind" and table.y.tolist() == ["k0", "k1"] * 6
    assert table.group is not None and table.group.tolist() == (np.arange(12) // 3).tolist()
    assert table.weight is not None and set(table.weight) == {0.5}
    test = load_images_like(tmp_path / "colours.parquet", options, table)
    assert test.group is not None and test.weight is not None and test.fold is None
    assert np.array_equal(pixels(test), pixels(table))


def test_rows_without_a_label_are_left_out(picture_table: Tables) -> None:
    frame = picture_table(12)
    frame["label"] = frame["label"].astype("Int64")
    frame.loc[3, "label"] = pd.NA
    table = load_images(frame)
    assert table.n_rows == 11 and pixels(table)[3, 0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("convert", [lambda frame: frame, pa.Table.from_pandas, pl.from_pandas])
def test_a_table_in_memory(picture_table: Tables, convert: Callable[[pd.DataFrame], object]) -> None:
    table = load_images(convert(picture_table(12)))
    assert table.y.tolist() == [0, 1] * 6 and pixels(table)[0, 0, 0].tolist() == [255, 0, 0]


def test_a_table_of_paths_or_images(tmp_path: Path) -> None:
    images = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime") * 3]
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for image, path in zip(images, paths, strict=True):
        image.save(path)
    labels = ["r", "g"] * 3
    arrays = [np.asarray(image) for image in images]
    for column in (images, list(map(str, paths)), paths, arrays):
        table = load_images(pd.DataFrame({"photo": column, "species": labels}))
        assert table.target == "species" and pixels(table)[1, 0, 0].tolist() == [0, 255, 0]
        table = load_images((column, labels))
        assert table.y.tolist() == labels and pixels(table)[1, 0, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    "source",
    [X, X.transpose(0, 3, 1, 2), X / 255.0, Images(X), list(X)],
    ids=["NHWC", "NCHW", "0..1", "Images", "list"],
)
def test_arrays(source: object) -> None:
    table = load_images((source, pd.Series(Y, name="digit")))
    assert (table.name, table.target) == ("data", "digit")
    assert np.array_equal(pixels(table), X) and np.array_equal(table.y, Y)


def test_grey_arrays_and_a_size() -> None:
    assert load_images((X[..., 0], Y)).X.shape == (20, 6, 7, 1)
    assert load_images((X, Y), DataOptions(image_size=(12, 14))).X.shape == (20, 12, 14, 3)
    assert load_images((X[:, :, :3, 0], Y)).X.shape == (20, 6, 3, 1)  # three wide: no colours


@pytest.mark.parametrize(("scale", "white"), [(np.uint16(257), 65535), (np.float64(1), 255), (np.float64(1 / 255), 1)])
def test_dark_pictures_are_as_dark_as_among_those_that_were_trained_on(scale: Any, white: int) -> None:
    """A single picture does not say whether its numbers reach to 1, 255 or 65535: the others have."""
    dark = X.copy()
    dark[0] = X[0] > 128  # all of it 0 or 1 of 255
    table = load_images((dark * scale, Y), DataOptions(test=(dark[:1] * scale, Y[:1])))
    (column,) = table.columns
    assert isinstance(column, ImageColumn) and column.white == white
    assert table.test is not None and np.array_equal(pixels(table.test), dark[:1])
    assert np.array_equal(as_images(dark[:1] * scale, column).pixels, dark[:1])
    assert np.array_equal(as_images([dark[0] * scale], column).pixels, dark[:1])


def test_numbers_of_another_type_have_a_scale_of_their_own() -> None:
    (column,) = load_images((X * np.uint16(257), Y)).columns
    assert isinstance(column, ImageColumn) and column.white == 65535
    assert np.array_equal(as_images(X / 255.0, column).pixels, X)
    dark = np.where(X > 128, 1.0, 0.0)
    assert np.array_equal(as_images([*X.astype(float), dark[0]], column).pixels[-1], dark[0])


def test_a_picture_without_numbers_does_not_darken_the_others() -> None:
    broken = [*(X / 255.0), np.full(X[0].shape, np.nan)]
    table = load_images((broken, np.append(Y, 0)))
    assert np.array_equal(pixels(table), X)


@pytest.mark.parametrize(("scale", "white"), [(np.uint16(257), 65535), (np.float64(1), 255)])
def test_a_list_or_a_column_of_arrays_has_one_scale(scale: Any, white: int) -> None:
    dark = X.copy()
    dark[0] = X[0] > 128
    for source in ((list(dark * scale), Y), pd.DataFrame({"photo": list(dark * scale), "digit": Y})):
        table = load_images(source)
        (column,) = table.columns
        assert isinstance(column, ImageColumn) and column.white == white
        assert np.array_equal(pixels(table), dark)


def test_a_bunch_of_scikit_learn() -> None:
    digits = load_digits()
    table = load_images(digits)
    assert table.X.shape == (1797, 8, 8, 1) and np.array_equal(pixels(table)[..., 0], digits.images)


def test_test_rows_from_memory() -> None:
    table = load_images((X, Y), DataOptions(test=(X[:4, ::2], Y[:4]), weight=np.ones(20)))
    assert table.test is not None and table.test.X.shape == (4, 6, 7, 3) and table.test.weight is None


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")],
)
def test_npz_in_parts(tmp_path: Path, names: tuple[str, ...]) -> None:
    arrays = dict(zip(names, (X, Y[:, None], X[:5], Y[:5]), strict=True))
    np.savez_compressed(tmp_path / "set.npz", **arrays)
    for source in (tmp_path / "set.npz", tmp_path):
        table = load_images(source)
        assert np.array_equal(pixels(table), X) and np.array_equal(table.y, Y)
        assert table.test is not None and table.test.n_rows == 5


def test_npz_of_one_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", X=X[..., 0] / 255.0, y=np.array(list("ab") * 10))
    table = load_images(str(tmp_path / "set.npz"))
    assert table.X.shape == (20, 6, 7, 1) and table.y[1] == "b" and table.test is None


def npz(path: Path, **arrays: object) -> Path:
    np.savez(path / "set.npz", **arrays)  # type: ignore[arg-type]
    return path / "set.npz"


def damaged(path: Path) -> Path:
    content = npz(path, X=X, y=Y).read_bytes()
    (path / "set.npz").write_bytes(content[: len(content) // 2])
    return path / "set.npz"


def renamed(path: Path, content: bytes) -> Path:
    (path / "set.npz").write_bytes(content)
    return path / "set.npz"


def bare(path: Path) -> bytes:
    np.save(path / "x.npy", X)
    return (path / "x.npy").read_bytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: renamed(path, b"<html>not found</html>"), "is not an .npz archive, or it was cut off"),
        (lambda path: renamed(path, bare(path)), "is not an .npz archive, or it was cut off"),
        (lambda path: (X, Y[:-1]), "20 pictures and 19 labels"),
        (lambda path: npz(path, X=X, y=Y[:-1]), "20 pictures and 19 labels"),
        (lambda path: npz(path, X=X, y=np.array([object()] * 20)), "Python objects, which are not read"),
        (lambda path: npz(path, a=X, b=Y), "no arrays x_train and y_train, or X and y; it holds a, b"),
        (lambda path: npz(path, X=X.reshape(20, -1), y=Y), r"shape \(20, 126\), not pictures"),
        (damaged, "cut off"),
        (lambda path: X, r"without labels: pass \(X, y\)"),
        (lambda path: pd.DataFrame({"a": [1]}), "no column of pictures"),
        (lambda path: (X, np.zeros((20, 2))), "labels has 2 columns|one value per row"),
        (lambda path: path / "nowhere", "There is no file or folder"),
        (lambda path: "https://example.org/x.parquet", "cannot be read from https"),
        (lambda path: "", "cannot be read from an empty path"),
        (lambda path: None, "There is no data"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_images(make(tmp_path))


def test_parquet_that_cannot_be_used(picture_table: Tables, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    frame = picture_table(12)
    frame.assign(other=1).rename(columns={"label": "which"}).to_parquet(path)
    with pytest.raises(DataError, match=r"Which column holds the labels.*are which, other"):
        load_images(path)
    frame.to_parquet(path)
    with pytest.raises(DataError, match=r"target 'lable' is not a column.*Did you mean 'label'"):
        load_images(path, DataOptions(target="lable"))
    frame[["label"]].to_parquet(path)
    with pytest.raises(DataError, match="no column of pictures"):
        load_images(path)
    path.write_bytes(b"PAR1, but no more")
    with pytest.raises(DataError, match="as Parquet"):
        load_images(path)


def test_a_missing_picture_is_named(picture_table: Tables, tmp_path: Path) -> None:
    frame = picture_table(12)
    frame.at[4, "image"] = None
    frame.to_parquet(tmp_path / "x.parquet")
    table = load_images(tmp_path / "x.parquet")
    assert table.n_rows == 11
    assert any(f"row 4 of {tmp_path / 'x.parquet'} (there is none)" in each.message for each in table.guardrails)


def test_labels_of_another_type_are_refused() -> None:
    table = load_images((X, Y))
    with pytest.raises(DataError, match=r"The test data cannot be used\. The labels are text here, and numbers"):
        load_images_like((X, list("ab" * 10)), DataOptions(), table, what="test data")

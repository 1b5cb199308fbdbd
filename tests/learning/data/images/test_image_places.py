"""Where a dataset is found, and what becomes of a table of images afterwards."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.config.reader import build_config, read_config
from automl.errors import ConfigError, DataError, WorkspaceError
from automl.learning.data.append import append_rows
from automl.learning.data.fingerprint import fingerprint, row_hashes
from automl.learning.data.images.images import Images
from automl.learning.data.images.load import load_images, load_images_like
from automl.learning.data.load import load_table
from automl.learning.data.options import DataOptions
from automl.learning.data.save import check_unchanged, has_copy, load_saved, save_summary, save_table
from automl.learning.data.table import Table

Folders = Callable[..., Path]
X = np.random.default_rng(0).integers(0, 256, (20, 6, 7, 3), np.uint8)
Y = np.arange(20) % 3


@pytest.fixture
def sets(class_folders: Folders, tmp_path: Path) -> Path:
    class_folders({"a": 5, "b": 5}, root=tmp_path / "sets" / "cifar10")
    class_folders({"a": 4, "b": 4}, root=tmp_path / "sets" / "flowers")
    return tmp_path / "sets"


def test_a_data_directory_by_option(sets: Path) -> None:
    options = DataOptions(directory=str(sets))
    assert load_images("cifar10", options).n_rows == 10  # whatever form it has there
    assert load_images("flowers", options).n_rows == 8


def test_a_data_directory_by_the_environment(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_DATA_DIR", str(sets))
    assert load_images("cifar10").name == "cifar10"
    assert load_images("flowers").n_rows == 8


def test_a_data_directory_in_a_file_is_relative_to_it(sets: Path, tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text("task: classification\ndata: {source: flowers, directory: sets, image_size: 5}\n")
    config, _ = read_config(tmp_path / "e.yaml")
    assert config.data.directory == str(sets) and config.data.source == "flowers"
    assert load_images(None, config.data).X.shape == (8, 5, 5, 3)


def test_a_data_directory_as_an_argument(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sets.parent)
    for directory in ("sets", Path("sets")):
        data = {"source": "flowers", "directory": directory}
        assert build_config({"task": "classification", "data": data}).data.directory == str(sets)


@pytest.mark.parametrize("size", [3, 2000, [10], [10, 10, 10], "large", True])
def test_a_size_that_is_none_is_refused(size: object) -> None:
    with pytest.raises(ConfigError, match="image_size"):
        build_config({"task": "classification", "data": {"source": "x", "image_size": size}})


@pytest.mark.parametrize(
    ("name", "directory", "message"),
    [
        ("herbs", "sets", "data.directory has no folder 'herbs': .*sets should hold one folder per dataset"),
        ("mnist", "sets", "data.directory has no folder 'mnist'"),
        ("cifar10", "sets/cifar10", "looks like the dataset's own folder: write .*sets"),
        ("mnist", "nowhere", "nowhere, which is not a folder"),
    ],
)
def test_a_directory_without_the_dataset_is_an_error(sets: Path, name: str, directory: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_images(name, DataOptions(directory=str(sets.parent / directory)))


def test_tables_are_told_from_images(sets: Path) -> None:
    for name in ("mnist", "cifar10", "cifar100"):
        with pytest.raises(DataError, match=f"{name!r} holds images: write task: image_classification"):
            load_table(name, task="regression")
    for option in ({"directory": str(sets)}, {"image_size": 32}):
        with pytest.raises(DataError, match=r"data\..* is for images, and this is a table: leave it out"):
            load_table("iris", DataOptions.model_validate(option), task="classification")


def same(one: Table, other: Table) -> bool:
    assert isinstance(one.X, Images) and isinstance(other.X, Images)
    return (
        np.array_equal(one.X.pixels, other.X.pixels)
        and one.y.tolist() == other.y.tolist()
        and (one.columns, one.guardrails, one.target, one.name, one.fingerprint)
        == (other.columns, other.guardrails, other.target, other.name, other.fingerprint)
    )


def test_a_saved_table_comes_back(tmp_path: Path) -> None:
    table = load_images((X, list("abcd" * 5)), DataOptions(test=(X[:6], list("ab" * 3)), weight=np.ones(20)))
    assert not has_copy(tmp_path / "data")
    save_table(table, tmp_path / "data")
    assert has_copy(tmp_path / "data")
    saved = load_saved(tmp_path / "data")
    assert same(saved, table) and saved.weight is not None
    assert table.test is not None and saved.test is not None and same(saved.test, table.test)
    check_unchanged(table, tmp_path / "data")


def test_changed_pictures_are_noticed(tmp_path: Path) -> None:
    table = load_images((X, Y))
    save_summary(table, tmp_path)
    other = X.copy()
    other[3, 2, 1, 0] ^= 1
    with pytest.raises(DataError, match="has changed since it began"):
        check_unchanged(load_images((other, Y)), tmp_path)


def test_a_damaged_copy_is_refused(tmp_path: Path) -> None:
    save_table(load_images((X, Y)), tmp_path)
    path = tmp_path / "images.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    with pytest.raises(WorkspaceError, match=r"Cannot read .*images\.npy"):
        load_saved(tmp_path)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match="is not what was saved"):
        load_saved(tmp_path)


def test_rows_are_appended() -> None:
    table = load_images((X, Y), DataOptions(weight=np.full(20, 2.0)))
    more = load_images_like((X[:6], Y[:6]), DataOptions(), table)
    joined = append_rows(table, more)
    assert isinstance(joined.X, Images) and np.array_equal(joined.X.pixels[20:], X[:6])
    assert joined.weight is not None and joined.weight.tolist() == [2.0] * 20 + [1.0] * 6
    assert joined.fingerprint not in (table.fingerprint, more.fingerprint)


def test_fingerprints_know_pixels_sizes_labels_and_order() -> None:
    table = load_images((X, Y))
    assert load_images((X.copy(), list(Y))).fingerprint == table.fingerprint
    for pixels, labels in ((X[::-1], Y), (X, Y[::-1]), (X.reshape(20, 7, 6, 3), Y), (X[..., :1], Y)):
        assert load_images((pixels, labels)).fingerprint != table.fingerprint
    assert fingerprint(table) == table.fingerprint
    assert row_hashes(table.X).tolist() == table.X.hashes().tolist()  # type: ignore[union-attr]
    assert fingerprint(replace(table, weight=np.ones(20))) != table.fingerprint


def test_mapped_pixels_travel_out_of_band(class_folders: Folders) -> None:
    table = load_images(class_folders({"a": 5, "b": 5}))
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(table.X, protocol=5, buffer_callback=buffers.append)
    assert len(head) < 1000 and sum(buffer.raw().nbytes for buffer in buffers) == table.X.size
    assert np.array_equal(pickle.loads(head, buffers=buffers).pixels, table.X.pixels)  # type: ignore[union-attr]

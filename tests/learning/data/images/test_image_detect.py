"""Whether data is images."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from automl.learning.data.images.detect import holds_images
from automl.learning.data.images.images import Images
from automl.learning.data.options import DataOptions

STACK = np.zeros((6, 8, 8), np.uint8)


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cifar100"])
def test_names_of_the_catalogue(name: str) -> None:
    assert holds_images(name)
    assert holds_images(None, DataOptions(source=name))


def test_values_that_are_images(picture: Callable[..., bytes], tmp_path: Path) -> None:
    content = picture()
    (tmp_path / "x.png").write_bytes(content)
    labels = list("ab" * 3)
    frame = pd.DataFrame({"image": [content] * 6, "label": labels})
    paths = [str(tmp_path / "x.png")] * 6
    for source in (
        STACK,
        (STACK, labels),
        (STACK[..., None] / 255, labels),
        (Images(STACK[..., None]), labels),
        ([Image.new("L", (4, 4))] * 6, labels),
        ([STACK[0]] * 6, labels),
        ([content] * 6, labels),
        (paths, labels),
        (pd.Series(paths), labels),
        frame,
        pl.from_pandas(frame),
        pa.Table.from_pandas(frame),
        pd.DataFrame({"image": [{"bytes": content}] * 6, "label": labels}),
        pd.DataFrame({"photo": paths, "label": labels}),
    ):
        assert holds_images(source), type(source)


def test_values_that_are_not(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1.0, 2.0], "file": ["x.png", "y.png"], "target": ["u", "v"]})
    for source in (
        None,
        table,
        pl.from_pandas(table),
        (STACK.reshape(6, -1), [0] * 6),
        STACK.reshape(6, -1),
        ([[1, 2], [3, 4]], [0, 1]),
        [{"a": 1}],
        {"data": STACK.reshape(6, -1), "target": [0] * 6},
        "iris",
        "nowhere",
        "",
        "https://example.org/pictures.parquet",
        tmp_path,
        tmp_path / "nowhere.npz",
        3,
    ):
        assert not holds_images(source), type(source)


def test_files_and_folders(
    class_folders: Callable[..., Path],
    idx_folder: Callable[..., Path],
    picture_table: Callable[..., pd.DataFrame],
    tmp_path: Path,
) -> None:
    assert holds_images(class_folders({"a": 1, "b": 1}))
    assert holds_images(str(idx_folder()))
    (tmp_path / "sets").mkdir()
    picture_table(4).to_parquet(tmp_path / "sets" / "train-0.parquet")
    assert holds_images(tmp_path / "sets") and holds_images(tmp_path / "sets" / "train-0.parquet")
    np.savez(tmp_path / "x.npz", x_train=STACK, y_train=np.arange(6))
    assert holds_images(tmp_path / "x.npz")
    np.savez(tmp_path / "table.npz", X=STACK.reshape(6, -1), y=np.arange(6))
    pd.DataFrame({"a": [1], "image_name": ["x"]}).to_parquet(tmp_path / "table.parquet")
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "table.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "broken.npz").write_bytes(b"PK")
    for name in ("table.npz", "table.parquet", "table.csv", "broken.parquet", "broken.npz"):
        assert not holds_images(tmp_path / name), name


def test_a_word_is_looked_for_in_the_data_directory(
    class_folders: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_folders({"a": 1, "b": 1}, root=tmp_path / "sets" / "flowers")
    class_folders({"a": 1, "b": 1}, root=tmp_path / "sets" / "iris")
    assert not holds_images("flowers")
    assert holds_images("flowers", DataOptions(directory=str(tmp_path / "sets")))
    assert holds_images("herbs", DataOptions(directory=str(tmp_path / "sets")))  # reading says that it is not there
    assert not holds_images("iris", DataOptions(directory=str(tmp_path / "sets")))  # a table of the catalogue
    assert not holds_images("table.csv", DataOptions(directory=str(tmp_path / "sets")))
    monkeypatch.setenv("AUTOML_DATA_DIR", str(tmp_path / "sets"))
    assert holds_images("flowers") and not holds_images("iris") and not holds_images("herbs")


def test_looking_at_a_table_or_a_name_imports_little() -> None:
    code = (
        "import sys\nfrom automl.learning.data.images.detect import holds_images\n"
        "holds_images('mnist'); holds_images('iris'); holds_images('x.csv')\n"
        "print(sorted({'numpy', 'pandas', 'PIL', 'pooch', 'requests', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

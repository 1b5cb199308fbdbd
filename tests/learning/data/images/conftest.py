"""Small pictures, made by Pillow."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

COLOURS = ("red", "lime", "blue", "yellow")


def encoded(colour: str = "red", size: tuple[int, int] = (8, 8), form: str = "PNG", mode: str = "RGB") -> bytes:
    """The bytes of a picture of one colour; `size` is height and width."""
    stream = io.BytesIO()
    Image.new(mode, size[::-1], colour).save(stream, form)
    return stream.getvalue()


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    return encoded


@pytest.fixture
def class_folders(tmp_path: Path) -> Callable[..., Path]:
    """Makes folders of pictures, each of its own grey-blue shade, one folder per class."""

    def make(
        counts: Mapping[str, int], *, root: Path | None = None, sizes: tuple[tuple[int, int], ...] = ((8, 8),)
    ) -> Path:
        root = root or tmp_path / "flowers"
        for kind, (name, count) in enumerate(counts.items()):
            (root / name).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                height, width = sizes[number % len(sizes)]
                pixels = np.full((height, width, 3), (60 * kind, number, 200), np.uint8)
                Image.fromarray(pixels).save(root / name / f"{number:03}.png")
        return root

    return make


@pytest.fixture
def picture_table() -> Callable[..., pd.DataFrame]:
    """Makes a table with the columns image (a struct with bytes, as datasets libraries write it) and label."""

    def make(count: int, *, size: tuple[int, int] = (8, 8), struct: bool = True) -> pd.DataFrame:
        pictures = [encoded(COLOURS[number % 2], size) for number in range(count)]
        images = [{"bytes": each, "path": None} for each in pictures] if struct else pictures
        return pd.DataFrame({"image": images, "label": np.arange(count) % 2})

    return make


@pytest.fixture
def idx_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes MNIST's four files with made values: `train` and `test` pictures of 6 x 5."""

    def make(*, train: int = 20, test: int = 8, labels: int | None = None, packed: bool = True) -> Path:
        folder = tmp_path / "digits_idx"
        folder.mkdir(exist_ok=True)
        for part, count in (("train", train), ("t10k", test)):
            pixels = np.arange(count * 30, dtype=np.uint32).astype(np.uint8).reshape(count, 6, 5)
            _write_idx(folder / f"{part}-images-idx3-ubyte", pixels, packed)
            numbers = count if labels is None else labels
            _write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(numbers, dtype=np.uint8) % 4, packed)
        return folder

    return make


def _write_idx(path: Path, values: np.ndarray, packed: bool) -> None:
    header = bytes((0, 0, 8, values.ndim)) + np.array(values.shape, ">u4").tobytes()
    content = header + values.tobytes()
    if packed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, mtime=0))
    else:
        path.write_bytes(content)

"""The pictures that the image benchmarks train on and are judged by, read without automl: it is what is measured."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

__all__ = ["Part", "Pictures", "read_pictures"]

Part = Literal["train", "test"]


@dataclass(frozen=True)
class Pictures:
    """One part of a dataset.

    Attributes:
        pixels: uint8, shape (n, height, width, channels).
        labels: int64, shape (n,).
    """

    pixels: np.ndarray
    labels: np.ndarray

    def save(self, file: Path) -> Path:
        """Into an .npz, for the processes that train."""
        np.savez(file, pixels=self.pixels, labels=self.labels)
        return file

    @classmethod
    def load(cls, file: Path | str) -> Pictures:
        with np.load(file) as kept:
            return cls(kept["pixels"], kept["labels"])

    def split(self, size: int, seed: int) -> tuple[Pictures, Pictures]:
        """(the others, `size` random rows): what hand-tuning is allowed to look at."""
        rows = np.random.default_rng(seed).permutation(len(self.labels))
        held, others = rows[:size], rows[size:]
        return Pictures(self.pixels[others], self.labels[others]), Pictures(self.pixels[held], self.labels[held])


def read_pictures(folder: Path, part: Part) -> Pictures:
    """A part of the dataset in `folder`: MNIST's idx .gz files, or Parquet files with columns image and label.

    Raises:
        SystemExit: there is neither.
    """
    prefix = {"train": "train", "test": "t10k"}[part]
    if (images := folder / f"{prefix}-images-idx3-ubyte.gz").exists():
        return Pictures(_idx(images)[..., None], _idx(folder / f"{prefix}-labels-idx1-ubyte.gz").astype(np.int64))
    if files := sorted(folder.glob(f"{part}-*.parquet")):
        return _parquet(files)
    raise SystemExit(f"{folder} holds neither idx .gz files nor Parquet files that begin with {part}-.")


def _idx(file: Path) -> np.ndarray:
    content = gzip.decompress(file.read_bytes())
    dimensions = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=dimensions, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _parquet(files: list[Path]) -> Pictures:
    import pyarrow.parquet as pq

    tables = [pq.read_table(file) for file in files]
    pixels = np.stack([picture for table in tables for picture in _decoded(table.column("image").to_pylist())])
    return Pictures(pixels, np.concatenate([table.column("label").to_numpy() for table in tables]).astype(np.int64))


def _decoded(images: list[bytes | dict[str, bytes]]) -> Iterator[np.ndarray]:
    from PIL import Image

    for image in images:
        content = image["bytes"] if isinstance(image, dict) else image
        with Image.open(io.BytesIO(content)) as picture:
            yield np.asarray(picture.convert("RGB"))

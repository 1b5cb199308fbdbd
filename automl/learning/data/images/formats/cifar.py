"""CIFAR's batches for Python (https://www.cs.toronto.edu/~kriz/cifar.html): unpacked, or in their archive.

They are pickles. They are read if their hash is the published one, and then without any class but NumPy's arrays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.errors import DataError
from automl.learning.data.images.archives import unpacked
from automl.learning.data.images.images import Images
from automl.learning.data.images.pickles import load_plain
from automl.learning.data.images.source import ImageSource, Labelled, Wanted
from automl.regular import open_regular

__all__ = ["CIFAR10", "CIFAR100", "Batches", "matches", "read", "read_batches"]

_SIDE = 32
_MOST = 256 << 20
"""Bytes of a file that may be a batch; the largest has 155 million."""


@dataclass(frozen=True)
class Batches:
    """One of the two datasets.

    Attributes:
        folder: that its archive unpacks to.
        archive: its name.
        archive_sha256: of the archive.
        labels: the key of the labels in a batch.
        train: md5 by name of file, in the order of the rows.
        test: the same.
    """

    folder: str
    archive: str
    archive_sha256: str
    labels: str
    train: Mapping[str, str]
    test: Mapping[str, str]


CIFAR10 = Batches(
    folder="cifar-10-batches-py",
    archive="cifar-10-python.tar.gz",
    archive_sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    labels="labels",
    train={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    test={"test_batch": "40351d587109b95175f43aff81a1287e"},
)
CIFAR100 = Batches(
    folder="cifar-100-python",
    archive="cifar-100-python.tar.gz",
    archive_sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    labels="fine_labels",
    train={"train": "16019d7e3df5f24257cddd939b257f8d"},
    test={"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
)


def matches(folder: Path) -> bool:
    return _find(folder) is not None


def read(folder: Path, wanted: Wanted) -> ImageSource:
    """The dataset in `folder`.

    Raises:
        DataError: a batch is missing, or is not the published one.
    """
    found = _find(folder)
    assert found is not None
    batches, place = found
    if place.name == batches.archive:
        place = unpacked(place, batches.archive_sha256, wanted.reading) / batches.folder
    return read_batches(place, batches, name=folder.name)


def read_batches(folder: Path, batches: Batches, *, name: str) -> ImageSource:
    """The batches in `folder`.

    Raises:
        DataError: one is missing, is not the one whose hash is known, or holds something else.
    """
    return ImageSource(name, _labelled(folder, batches.train, batches), _labelled(folder, batches.test, batches))


def _find(folder: Path) -> tuple[Batches, Path] | None:
    """Find which of the datasets is in a folder, and where there."""
    for batches in (CIFAR10, CIFAR100):
        for place in (folder, folder / batches.folder):
            if all((place / name).is_file() for name in (*batches.train, *batches.test)):
                return batches, place
            if any((place / name).is_file() for name in batches.train) and place.name == batches.folder:
                return batches, place
        if (folder / batches.archive).is_file():
            return batches, folder / batches.archive
    return None


def _labelled(folder: Path, files: Mapping[str, str], batches: Batches) -> Labelled:
    import pandas as pd

    read = [_batch(folder / name, md5, batches.labels) for name, md5 in files.items()]
    pixels = np.concatenate([pixels for pixels, _ in read])
    return Labelled(Images(pixels), pd.Series(np.concatenate([labels for _, labels in read])))


def _batch(path: Path, md5: str, key: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        with open_regular(path) as file:
            content = file.read(_MOST)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise DataError(f"{path} is not the published file: its hash differs, so it is not read. Download it again.")
    batch = load_plain(content, str(path))
    pixels, labels = _entry(batch, b"data"), _entry(batch, key.encode())
    whole = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.shape[1:] == (3 * _SIDE * _SIDE,)
    if not whole or not isinstance(labels, Sequence) or len(labels) != len(pixels):
        raise DataError(f"{path} holds no pictures of {_SIDE} x {_SIDE} with as many labels.")
    planes = pixels.reshape(-1, 3, _SIDE, _SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), np.array(labels, dtype=np.int64)


def _entry(batch: Any, key: bytes) -> Any:
    return batch.get(key) if isinstance(batch, dict) else None

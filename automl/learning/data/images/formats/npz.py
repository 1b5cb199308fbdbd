"""NumPy's .npz archives: pictures and labels as arrays."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from automl.errors import DataError
from automl.learning.data.frames import as_series
from automl.learning.data.images.arrays import as_pixels, white_of
from automl.learning.data.images.images import Images
from automl.learning.data.images.parts import train_and_test
from automl.learning.data.images.source import ImageSource, Labelled, Wanted
from automl.learning.data.reading.bounds import unpacked_for
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.stream import unpack
from automl.regular import open_regular

__all__ = ["has_pictures", "matches", "read", "read_file"]

_PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "train": (
        ("x_train", "y_train"),
        ("train_images", "train_labels"),
        ("x", "y"),
        ("images", "labels"),
        ("data", "target"),
    ),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
    "valid": (("x_val", "y_val"), ("x_valid", "y_valid"), ("val_images", "val_labels")),
}
"""Names of the arrays of each part, in lower case: pictures and labels."""
_DAMAGES = (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""Errors of an archive that is cut off, damaged, encrypted, or compressed in an unusual way."""


def matches(folder: Path) -> bool:
    files = sorted(folder.glob("[!.]*.npz"))
    return len(files) == 1 and has_pictures(files[0])


def read(folder: Path, wanted: Wanted) -> ImageSource:
    return read_file(next(folder.glob("[!.]*.npz")), wanted)


def has_pictures(path: Path) -> bool:
    """Tell whether an archive holds an array of three or four dimensions under a name of pictures, by its headers."""
    pictures = {pair[0] for pairs in _PARTS.values() for pair in pairs}
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            return any(
                len(_head(archive, name)[0]) in (3, 4)
                for name in archive.namelist()
                if name.removesuffix(".npy").lower() in pictures
            )
    except _DAMAGES:
        return False


def _head(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], int]:
    """The shape of an array, and the bytes that its values take."""
    with archive.open(name) as file:
        major, _ = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
        return shape, math.prod(shape) * dtype.itemsize


def read_file(path: Path, wanted: Wanted) -> ImageSource:
    """The arrays ``x_train`` and ``y_train``, ``x_test`` and ``y_test``; or ``X`` and ``y``; or as `_PARTS` has them.

    Raises:
        DataError: they are not there, hold Python objects, or are not equally many.
    """
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            arrays = {name.removesuffix(".npy").lower(): name for name in archive.namelist()}
            read = _Members(archive, path, wanted.reading)
            parts, white = {}, wanted.white
            for part, pairs in _PARTS.items():
                pair = next((pair for pair in pairs if set(pair) <= set(arrays)), None)
                if pair is not None:
                    pictures, labels = (read(arrays[name]) for name in pair)
                    white = white or white_of(pictures)
                    parts[part] = _labelled(path, pictures, labels, white)
            names = ", ".join(name.removesuffix(".npy") for name in archive.namelist())
    except MemoryError:
        raise DataError(f"Cannot read {path}: its arrays are too large for the memory.") from None
    except zipfile.BadZipFile as error:
        raise DataError(f"Cannot read {path}: it is not an .npz archive, or it was cut off.") from error
    except _DAMAGES as error:
        if isinstance(error, OSError) and error.strerror:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        reason = "it holds Python objects, which are not read" if "allow_pickle" in str(error) else "it is damaged"
        raise DataError(f"Cannot read {path}: {reason}.") from error
    if not parts:
        raise DataError(f"{path} holds no arrays x_train and y_train, or X and y; it holds {names or 'nothing'}.")
    train, test, guardrails = train_and_test(parts, str(path))
    return ImageSource(path.stem, train, test, wanted.target or "label", guardrails, white)


class _Members:
    """Reads the arrays of an archive, as long as all of them together are no more than it may unpack to."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, reading: Reading) -> None:
        self._archive, self._path, self._reading = archive, path, reading
        self._size = path.stat().st_size
        self._left = unpacked_for(self._size)

    def __call__(self, name: str) -> np.ndarray:
        shape, size = _head(self._archive, name)
        self._left -= size
        if self._left < 0:
            raise DataError(
                f"{self._path} unpacks to more than {unpacked_for(self._size) / 2**20:,.0f} MB, with {name} of the "
                f"shape {shape}, which no honest file of its size does."
            )
        with self._archive.open(name) as file:
            stream = unpack(file, "", self._size, self._reading, str(self._path))
            array: np.ndarray = np.lib.format.read_array(stream.buffered(), allow_pickle=False)
            return array


def _labelled(path: Path, pictures: Any, labels: Any, white: int | None) -> Labelled:
    if pictures.ndim not in (3, 4):
        raise DataError(f"{path} holds an array of shape {pictures.shape}, not pictures.")
    pixels = as_pixels(pictures[..., None] if pictures.ndim == 3 else pictures, white=white)
    series = as_series(labels, what="labels")
    if len(series) != len(pixels):
        raise DataError(f"{path} holds {len(pixels):,} pictures and {len(series):,} labels; they must be equally many.")
    return Labelled(Images(pixels), series)

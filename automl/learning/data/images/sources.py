"""Whatever a user calls image data, as labelled pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.errors import DataError
from automl.learning.data.images.detect import NPZ, PARQUET
from automl.learning.data.images.locate import NAMES, in_directory, local_path
from automl.learning.data.images.source import ImageSource, Wanted
from automl.learning.data.names import nearest, some
from automl.learning.data.options import DataOptions
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.protocols import told

__all__ = ["read_images"]


def read_images(
    source: Any,
    options: DataOptions,
    *,
    columns: tuple[str, ...] = (),
    white: int | None = None,
    reading: Reading,
) -> ImageSource:
    """Read a name of the catalogue, a folder, a Parquet or .npz file, (X, y), or a table with a column of pictures.

    Args:
        source: see `automl.learning.data.images.load.load_images`.
        options: target and data directory.
        columns: names of columns that have a role.
        white: its value in arrays, where other pictures have determined it.
        reading: the circumstances.

    Raises:
        DataError: it cannot be read, or holds no pictures or no labels.
    """
    try:
        return _read(source, options, Wanted(options.target, columns, white=white, reading=reading))
    except OSError as error:
        raise DataError(f"Cannot read {error.filename or source}: {error.strerror or error}.") from error


def _read(source: Any, options: DataOptions, wanted: Wanted) -> ImageSource:
    if source is None:
        raise DataError("There is no data: name a folder of pictures, a dataset of the catalogue, or pass (X, y).")
    if isinstance(source, str) and source in NAMES:
        return _from_catalogue(source, options, wanted)
    if isinstance(source, str | os.PathLike):
        return _from_files(source, options, wanted)
    from automl.learning.data.images.formats import memory

    if isinstance(source, Mapping) and {"data", "target"} <= set(source):
        source = (source.get("images", source["data"]), source["target"])  # scikit-learn's bunches have both
    return memory.read(source, wanted)


def _from_catalogue(name: str, options: DataOptions, wanted: Wanted) -> ImageSource:
    from automl.learning.data.images.catalogue import DATASETS, fetch_dataset
    from automl.learning.data.images.folder import read_folder

    dataset = DATASETS[name]
    folder = in_directory(name, options) or fetch_dataset(dataset, wanted.reading)
    return replace(read_folder(folder, replace(wanted, contents=dataset.contents)), name=name)


def _from_files(source: str | os.PathLike[str], options: DataOptions, wanted: Wanted) -> ImageSource:
    path = local_path(source, options)
    if path is None:
        place = told(os.fspath(source)) or "an empty path"
        raise DataError(f"Images cannot be read from {place}: copy them here.")
    if path.is_dir():
        from automl.learning.data.images.folder import read_folder

        return read_folder(path, wanted)
    if not path.exists():
        names = sorted(NAMES)
        hint = nearest(str(source), names)
        raise DataError(
            f"There is no file or folder {path}.{hint} The catalogue's datasets of images are {some(names)}."
        )
    return _from_file(path, wanted)


def _from_file(path: Path, wanted: Wanted) -> ImageSource:
    ending = path.suffix.lower()
    if ending in PARQUET:
        from automl.learning.data.images.formats import parquet

        return parquet.read_file(path, wanted)
    if ending == NPZ:
        from automl.learning.data.images.formats import npz

        return npz.read_file(path, wanted)
    raise DataError(
        f"{path} holds no dataset of images: name a folder, a Parquet file with a column of pictures, or .npz."
    )

"""A test of whether data is images, which neither reads nor imports much."""

from __future__ import annotations

import os
from typing import Any

from automl.errors import DataError
from automl.learning.data.catalogue import in_catalogue
from automl.learning.data.images.locate import NAMES, local_path
from automl.learning.data.options import DataOptions

__all__ = ["NPZ", "PARQUET", "holds_images"]

PARQUET = (".parquet", ".pq", ".parq")
NPZ = ".npz"


def holds_images(source: Any, options: DataOptions | None = None) -> bool:
    """Tell whether a source is image data, which makes ``classification`` mean ``image_classification``.

    True for a name of the catalogue's images, a word where the options name a data directory, a folder with pictures, a
    Parquet file or folder whose schema names pictures, a .npz of arrays with three or four dimensions; for an array of
    three or four dimensions, a sequence of pictures, (X, y) of these, and a table with a column of pictures. Something
    that cannot be read is not image data: reading it says why. A folder that may not be looked into may be some.

    Args:
        source: as `automl.fit` takes it; None takes the source of `options`.
        options: for the data directory.
    """
    options = options or DataOptions()
    source = options.source if source is None else source
    if isinstance(source, str | os.PathLike):
        return source in NAMES or (not in_catalogue(source) and _in_files(source, options))
    if source is None:
        return False
    from automl.learning.data.images.formats.memory import are_pictures, is_table_of_pictures

    X = source[0] if isinstance(source, tuple) and len(source) == 2 else source
    return are_pictures(X) or is_table_of_pictures(X)


def _in_files(source: object, options: DataOptions) -> bool:
    try:
        path = local_path(source, options)
        if path is None or not path.exists():
            return False
        is_folder = path.is_dir()
    except DataError:
        return True  # the data directory lacks it: reading it says so
    except OSError:
        return options.directory is not None  # and may not be looked into: reading it says so, too
    if is_folder:
        from automl.learning.data.images.folder import has_pictures

        return has_pictures(path)
    if path.suffix.lower() in PARQUET:
        from automl.learning.data.images.formats.parquet import has_pictures as in_parquet

        return in_parquet(path)
    if path.suffix.lower() == NPZ:
        from automl.learning.data.images.formats.npz import has_pictures as in_npz

        return in_npz(path)
    return False

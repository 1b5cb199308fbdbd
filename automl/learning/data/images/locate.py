"""The place of a dataset that is called by its name: in a data directory, or in the catalogue."""

from __future__ import annotations

import os
import re
from pathlib import Path

from automl.errors import DataError
from automl.learning.data.options import DataOptions

__all__ = ["NAMES", "VARIABLE", "in_directory", "local_path"]

NAMES = frozenset({"mnist", "cifar10", "cifar100"})
"""Datasets of images that have an entry in the catalogue."""
VARIABLE = "AUTOML_DATA_DIR"
_NAME = re.compile(r"[A-Za-z0-9_-]+")
"""A word: the reader of experiment files leaves it unchanged, too."""


def in_directory(name: str, options: DataOptions) -> Path | None:
    """The folder called `name` in the data directory of the options, or of ``AUTOML_DATA_DIR``.

    The variable is meant for all experiments, so a dataset may be missing there; a directory in the options is
    meant for this one.

    Raises:
        DataError: the directory of the options has no such folder.
    """
    if options.directory is None:
        own = os.environ.get(VARIABLE)
        folder = Path(own).expanduser() / name if own else None
        return folder if folder is not None and folder.is_dir() else None
    directory = Path(options.directory).expanduser()
    folder = directory / name
    if folder.is_dir():
        return folder
    if not directory.is_dir():
        raise DataError(f"data.directory is {directory}, which is not a folder.")
    if not os.access(directory, os.R_OK | os.X_OK):
        raise DataError(f"The folder {directory} cannot be read: Permission denied.")
    hint = f" It looks like the dataset's own folder: write {directory.parent}." if directory.name == name else ""
    raise DataError(f"data.directory has no folder {name!r}: {directory} should hold one folder per dataset.{hint}")


def local_path(source: object, options: DataOptions) -> Path | None:
    """The file or folder that a source means: a path, or a word that names a folder of the data directory.

    None for anything else, URLs among it.

    Raises:
        DataError: the directory of the options has no folder of that name.
    """
    if not (isinstance(source, os.PathLike) or (isinstance(source, str) and source.strip() and "://" not in source)):
        return None
    path = Path(source).expanduser()
    if not isinstance(source, str) or not _NAME.fullmatch(source) or (options.directory is None and path.exists()):
        return path
    return in_directory(source, options) or path

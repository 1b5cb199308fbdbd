"""A folder that holds a dataset of images, in whatever form it does."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

from automl.errors import DataError
from automl.learning.data.images.formats import cifar, classes, idx, npz, parquet
from automl.learning.data.images.source import ImageSource, Wanted

__all__ = ["has_pictures", "read_folder"]

FORMS: tuple[ModuleType, ...] = (idx, cifar, parquet, npz, classes)
"""In the order in which they are tried: pictures beside a dataset in another form do not matter."""


def has_pictures(folder: Path) -> bool:
    """Tell whether a folder holds images in one of the forms. One that cannot be read may: reading it says why."""
    try:
        return any(form.matches(folder) for form in FORMS)
    except OSError:
        return True


def read_folder(folder: Path, wanted: Wanted) -> ImageSource:
    """The dataset in a folder, which is only read from.

    Raises:
        DataError: the folder cannot be read, or holds no pictures, or its dataset cannot be used.
    """
    try:
        if not os.listdir(folder):
            raise DataError(f"The folder {folder} is empty.")
        form = next((form for form in FORMS if form.matches(folder)), None)
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    if form is None:
        raise DataError(
            f"{folder} holds no pictures: neither a folder per class with PNG or JPEG files, nor Parquet with a column "
            "of pictures, .npz, idx files, or CIFAR's batches."
        )
    source: ImageSource = form.read(folder, wanted)
    if wanted.target not in (None, source.target):
        raise DataError(
            f"{folder} has no target {wanted.target!r}: its labels are separate (of a picture in a folder, the folder "
            "is its label); leave data.target out."
        )
    return source

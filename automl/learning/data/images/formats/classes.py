"""One folder per class, with pictures in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from automl.errors import DataError
from automl.learning.data.images.encoded import EncodedPictures, Picture
from automl.learning.data.images.endings import is_picture_name
from automl.learning.data.images.parts import is_part, part_of, train_and_test, unread
from automl.learning.data.images.source import ImageSource, Labelled, Wanted
from automl.learning.data.names import some

__all__ = ["matches", "read"]

_ENTRIES = 10_000
"""Files and folders that are looked at before a folder is said to hold no pictures."""


def matches(folder: Path) -> bool:
    """Tell whether there is a picture somewhere below `folder`."""
    looked = 0
    for _, folders, files in os.walk(folder):
        if any(map(is_picture_name, files)):
            return True
        looked += len(folders) + len(files)
        if looked > _ENTRIES:
            return False
    return False


def read(folder: Path, wanted: Wanted) -> ImageSource:
    """The pictures below `folder`: its own folders are the classes.

    Folders inside a class belong to it. Folders with train, test or validation in their names hold their own
    classes, unless there are pictures directly in them. A folder around everything, as in archives, does not count.

    Raises:
        DataError: there are pictures outside the classes, fewer than two classes, nothing to train on, two folders
            for one part, or a folder cannot be read.
    """
    root = _innermost(folder)
    parts = _parts(root)
    if not parts:
        return ImageSource(folder.name, _labelled(root))
    train, test, guardrails = train_and_test(parts, str(root))
    others = [each.name for each in _folders(root) if each not in parts.values()]
    return ImageSource(
        folder.name,
        _labelled(train),
        None if test is None else _labelled(test),
        guardrails=(*guardrails, *unread(others, str(root))),
    )


def _parts(root: Path) -> dict[str, Path]:
    """The folders of `root` that are parts of the dataset, not classes; none if its folders are classes."""
    folders = _folders(root)
    parts: dict[str, Path] = {}
    for each in folders:
        part = part_of(each.name)
        if part is None or not _holds_classes(each):
            continue
        if part in parts:
            raise DataError(f"{root} has two folders to {part} with, {parts[part].name} and {each.name}: merge them.")
        parts[part] = each
    named = [each.name for each in folders if is_part(each.name)]
    if "train" not in parts and len(named) == len(folders) > 1:
        raise DataError(
            f"{root} has the parts {some(named)}, and none to train on with a folder per class in it: put each picture "
            "into the folder of its class, or pass a table of paths and labels."
        )
    # One alone may be a class, such as freight_train.
    return parts if len(parts) > 1 or any(is_part(each.name) for each in parts.values()) else {}


def _innermost(folder: Path) -> Path:
    """`folder` without the folders around its classes: those that hold one folder of folders and no pictures."""
    while True:
        inner = _folders(folder)
        if len(inner) != 1 or not _holds_classes(inner[0]) or not _holds_classes(folder):
            return folder
        folder = inner[0]


def _holds_classes(folder: Path) -> bool:
    """Tell whether there are folders in `folder`, and no pictures directly in it."""
    return bool(_folders(folder)) and not any(map(is_picture_name, os.listdir(folder)))


def _folders(folder: Path) -> list[Path]:
    try:
        found = [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    return sorted(path for path in found if path.name != "__MACOSX")


def _labelled(root: Path) -> Labelled:
    import pandas as pd

    root = _innermost(root)
    stray = next((name for name in sorted(os.listdir(root)) if is_picture_name(name)), None)
    if stray is not None:
        raise DataError(
            f"{root} holds pictures beside its folders, such as {stray}: put each into the folder of its class."
        )
    pictures, labels = list[Picture](), list[str]()
    for folder in _folders(root):
        inside = list(_pictures(folder))
        pictures += inside
        labels += [folder.name] * len(inside)
    if not pictures:
        raise DataError(f"{root} holds no pictures: a folder per class is expected, with PNG or JPEG files in it.")
    if len(set(labels)) == 1:
        raise DataError(f"{root} has pictures in one folder only, {labels[0]!r}: a folder per class is expected.")
    return Labelled(EncodedPictures(pictures), pd.Series(labels, dtype="str"))


def _pictures(folder: Path) -> Iterator[Picture]:
    def refuse(error: OSError) -> None:
        raise DataError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(filter(is_picture_name, files)):
            path = Path(place, name)
            yield Picture(str(path), path)

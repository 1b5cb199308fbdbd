"""Values that are pictures, one each: paths, bytes, PIL images, arrays, and columns of them in a table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.errors import DataError
from automl.learning.data.images.arrays import white_of
from automl.learning.data.images.encoded import EncodedPictures, Picture
from automl.learning.data.images.endings import is_picture_name
from automl.learning.data.names import some

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_pictures", "is_picture", "picture_column"]

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*", b"P5", b"P6", b"\0\0\0\x0cjP")


def as_pictures(values: Iterable[Any], white: int | None = None) -> EncodedPictures:
    """One picture per value.

    Args:
        white: its value in arrays; None: what all of them together say, as a stack of them would.

    Raises:
        DataError: a value is not a picture, or arrays are on no scale.
    """
    pictures = [_picture(value, position) for position, value in enumerate(values)]
    kinds = [_kind(picture.content) for picture in pictures]
    whites = {
        kind: _white([each.content for each, own in zip(pictures, kinds, strict=True) if own == kind], kind, white)
        for kind in sorted({*kinds} & {"f", "u"})
    }
    if not whites:
        return EncodedPictures(pictures)
    scaled = [replace(each, white=whites.get(kind)) for each, kind in zip(pictures, kinds, strict=True)]
    return EncodedPictures(scaled, next(iter(whites.values())))


def _kind(content: Any) -> str:
    """F for floats, u for integers of 16 bits: arrays whose type leaves their scale open; else nothing."""
    if not _is_array(content):
        return ""
    try:
        dtype = np.asarray(content).dtype
    except Exception:  # a tensor on a GPU, say: the decoder names it
        return ""
    return "f" if dtype.kind == "f" else "u" if dtype == np.uint16 else ""


def _white(arrays: list[Any], kind: str, known: int | None) -> int | None:
    """That of arrays of one type; of other numbers than were trained on they say it themselves."""
    fits = known in (1, 255) if kind == "f" else known == 65535
    return known if fits else white_of(*arrays)


def _picture(value: Any, position: int) -> Picture:
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, str | os.PathLike):
        path = Path(value).expanduser()
        return Picture(str(path), path)
    name = f"picture {position}"
    if isinstance(value, bytearray | memoryview):
        return Picture(name, bytes(value))
    if value is None or isinstance(value, bytes) or _is_pil(value) or _is_array(value):
        return Picture(name, value)
    raise DataError(
        f"The value at position {position} is {type(value).__name__}, not a picture: pass a path, bytes, a PIL image, "
        "or an array of height x width."
    )


def is_picture(value: Any) -> bool:
    """Tell whether a value is one picture, judging by what it looks like."""
    if isinstance(value, Mapping):
        value = value.get("bytes")
    if isinstance(value, bytes | bytearray):
        return bytes(value[:12]).startswith(_MAGIC) or value[4:8] == b"ftyp"
    if isinstance(value, str | os.PathLike):
        return is_picture_name(Path(value).name)
    return _is_pil(value) or (hasattr(value, "__array__") and getattr(value, "ndim", 0) in (2, 3))


def _is_missing(value: Any) -> bool:
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def _is_array(value: Any) -> bool:
    return getattr(value, "ndim", 0) >= 2


def _is_pil(value: Any) -> bool:
    return any(kind.__module__ == "PIL.Image" for kind in type(value).__mro__)


def picture_column(frame: pd.DataFrame, labelled: bool = True) -> str | None:
    """The column of a table that holds pictures, if there is one.

    Paths make a column of pictures only where there is nothing else to learn from: beside the labels, if it is
    `labelled`.

    Raises:
        DataError: there are several.
    """
    found = []
    few = len(frame.columns) <= 1 + labelled
    for name, column in frame.items():
        if column.dtype.kind not in "OU" and column.dtype.name != "str":
            continue
        first = next((value for value in column if not _is_missing(value)), None)
        if is_picture(first) and (few or not isinstance(first, str | os.PathLike)):
            found.append(str(name))
    if len(found) > 1:
        raise DataError(f"Several columns hold pictures, and one is needed: {some(found)}.")
    return found[0] if found else None

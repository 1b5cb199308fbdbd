"""Raw pictures of any kind and size as those that a model was trained on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from automl.errors import DataError
from automl.learning.data.frames import as_frame
from automl.learning.data.images.arrays import as_pixels
from automl.learning.data.images.contents import as_pictures, is_picture, picture_column
from automl.learning.data.images.decode import refit
from automl.learning.data.images.decoded import Skipped, decode_each
from automl.learning.data.images.images import Images
from automl.learning.data.kinds import ImageColumn
from automl.learning.data.reading.context import Reading

__all__ = ["as_images", "fitted"]


def as_images(X: Any, column: ImageColumn) -> Images:
    """`X` as pictures of the column's size and channels.

    Decoding is that of training: EXIF's rotation, the first frame of an animation, white behind transparency, 16 bits
    brought to 8, colours to grey or grey to colours, stretched bilinearly.

    Args:
        X: one picture or several: paths, bytes, PIL images, arrays (see
            `automl.learning.data.images.arrays.as_pixels`), a sequence of any of these, a table or Series
            with a column of them, an `Images`.
        column: of the table that the model was trained on.

    Raises:
        DataError: something is not a picture, or damaged; it says which.
    """
    if isinstance(X, Images):
        return fitted(X, column.shape)
    if _is_array(X):
        return fitted(Images(as_pixels(X, channels=column.channels, white=column.white)), column.shape)
    pictures = as_pictures(_values(X, column.name), column.white)
    pixels = np.empty((len(pictures), *column.shape), np.uint8)
    done = 0
    for block in decode_each(pictures, column.shape, Reading()):
        for decoded in block:
            if isinstance(decoded, Skipped):
                raise DataError(f"{decoded.name} cannot be read: {decoded.reason}.")
            pixels[done] = decoded
            done += 1
    return Images(pixels)


def fitted(images: Images, shape: tuple[int, int, int]) -> Images:
    """Pictures of another size: `images` itself if it has this one.

    Args:
        images: of one size.
        shape: height, width, channels.
    """
    if images.shape[1:] == shape:
        return images
    pixels = np.empty((len(images), *shape), np.uint8)
    for position, picture in enumerate(images.pixels):
        pixels[position] = refit(picture, shape)
    return Images(pixels)


def _is_array(X: Any) -> bool:
    """Arrays of numbers, of this or another library, not sequences of other objects."""
    return hasattr(X, "__array__") and getattr(X, "ndim", 0) >= 2 and not hasattr(X, "columns")


def _values(X: Any, name: str) -> Iterable[Any]:
    """The single pictures in `X`."""
    if hasattr(X, "columns") or hasattr(X, "column_names"):
        frame = as_frame(X)
        named = name if name in frame.columns else picture_column(frame, labelled=False)
        if named is None:
            raise DataError("The table has no column of pictures: paths, bytes, PIL images or arrays.")
        return list(frame[named])
    if isinstance(X, str | os.PathLike) or is_picture(X):
        return [X]
    if isinstance(X, Iterable) and not isinstance(X, Mapping | bytes):
        return X
    raise DataError(f"{type(X).__name__} is not a picture: pass paths, bytes, PIL images, or arrays of height x width.")

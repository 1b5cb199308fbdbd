"""Arrays of every layout and scale as pixels: uint8, shape (n, height, width, channels)."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl.errors import DataError

__all__ = ["as_bytes", "as_picture", "as_pixels", "is_stack", "white_of"]

_CHANNELS = (1, 3, 4)
_BRIGHTEST, _DARKEST = 1.05, 2.0
"""The largest number of pictures on 0..1, as resampling overshoots; the least that the largest one on 0..255 can be."""
_LAYOUTS = "(n, height, width, channels), (n, channels, height, width) or (n, height, width), channels 1, 3 or 4"


def is_stack(value: Any) -> bool:
    """True for an array of several pictures, of this or another library: three or four dimensions."""
    return hasattr(value, "__array__") and getattr(value, "ndim", 0) in (3, 4)


def as_pixels(array: Any, *, channels: int | None = None, white: int | None = None) -> np.ndarray:
    """Pictures in an array.

    Args:
        array: (n, height, width, channels), (n, channels, height, width), (n, height, width); a single picture as
            (height, width, channels), (channels, height, width) or (height, width). Channels are 1, 3 or 4, the fourth
            for transparency, which becomes white. Where three dimensions could mean either, a first or last one of 3 is
            that of colours if `channels` is 3, and (n, height, width) is meant else. Values: see `as_bytes`.
        channels: that are expected, if it is known.
        white: see `as_bytes`.

    Returns:
        uint8, (n, height, width, 1 or 3): a view of `array` where it has that form.

    Raises:
        DataError: the array is of another shape, or holds no pixels.
    """
    values = np.asarray(array)
    values = _channels_last(values, channels)
    if values.size == 0:
        raise DataError(f"The array of shape {np.shape(array)} holds no picture.")
    pixels = as_bytes(values, white)
    return _opaque(pixels) if pixels.shape[3] == 4 else pixels


def as_picture(array: Any, white: int | None = None) -> np.ndarray:
    """One picture, (height, width), (height, width, channels) or (channels, height, width), as `as_pixels` reads them.

    Returns:
        uint8, (height, width, 1 or 3).

    Raises:
        DataError: the array is of another shape, or holds no pixels.
    """
    values = np.asarray(array)
    if values.ndim == 3 and values.shape[2] not in _CHANNELS and values.shape[0] in _CHANNELS:
        values = values.transpose(1, 2, 0)
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in _CHANNELS):
        raise DataError(f"an array of shape {values.shape}, not a picture")
    picture: np.ndarray = as_pixels(values.reshape(1, *values.shape[:2], -1), white=white)[0]
    return picture


def _channels_last(values: np.ndarray, channels: int | None) -> np.ndarray:
    shape = values.shape
    if values.ndim == 2:
        return values[None, :, :, None]
    if values.ndim == 3:
        if shape[2] in _CHANNELS and shape[1] not in _CHANNELS:
            return values[None]
        if shape[0] == 1 or (channels == 3 and shape[0] in _CHANNELS):
            return values.transpose(1, 2, 0)[None]
        return values[..., None]
    if values.ndim == 4 and shape[3] in _CHANNELS:
        return values
    if values.ndim == 4 and shape[1] in _CHANNELS:
        return values.transpose(0, 2, 3, 1)
    raise DataError(f"Pictures in an array have the shape {_LAYOUTS}; this one has {shape}.")


def white_of(*arrays: Any) -> int | None:
    """The value that white has in arrays of pictures: 1, 255 or 65535, where their type leaves that open, else None.

    Values that are not finite do not count.

    Raises:
        DataError: it can be neither 1 nor 255.
    """
    there = [values for values in map(np.asarray, arrays) if values.size]
    floats = [high for values in there if values.dtype.kind == "f" and np.isfinite(high := values.max())]
    if floats:
        high = max(floats)
        if _BRIGHTEST < high < _DARKEST:
            raise DataError(f"Pixels are 0..255 or 0..1; these reach {high:g}, which is neither.")
        return 1 if high <= _BRIGHTEST else 255
    longs = [values.max() for values in there if values.dtype == np.uint16]
    if not longs:
        return None
    return 65535 if max(longs) > 255 else 255


def as_bytes(values: np.ndarray, white: int | None = None) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Values as 0..255.

    Integers are 0..255 (uint16: 0..65535 if one is above 255), floats 0..1 if none is above 1, and 0..255 else: see
    `white_of`. What a resampling has carried a little below 0 or above 1 is cut off.

    Args:
        values: of any shape.
        white: `white_of` the pictures that a model was trained on: dark ones among these are not brightened.

    Raises:
        DataError: values are missing, negative or too large, as after a standardisation; or on another scale.
    """
    kind = values.dtype.kind
    if values.dtype == np.uint8:
        return values
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if kind not in "iuf":
        raise DataError(f"Pixels are numbers, 0..255 or 0..1; this array holds {values.dtype}.")
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError("Some pixels are NaN or infinite; pass values of 0..255 or 0..1.")
    if values.dtype == np.uint16 and (high > 255 or white == 65535):
        return _rounded(values / np.float32(257))
    if kind == "f" and low >= 1 - _BRIGHTEST and (white if white in (1, 255) else white_of(values)) == 1:
        if high > _BRIGHTEST:
            raise DataError(f"Pixels were 0..1 in training, and reach {high:g} here: pass them on the same scale.")
        return _rounded(np.clip(values, 0, 1) * 255)
    if low < 0 or high > 255:
        raise DataError(
            f"Pixels are 0..255 or 0..1; these reach from {low:g} to {high:g}. Pass them as they were before a "
            "standardisation: models do it themselves."
        )
    return _rounded(values) if kind == "f" else values.astype(np.uint8)


def _rounded(values: np.ndarray) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(np.rint(values), dtype=np.uint8)


def _opaque(pixels: np.ndarray) -> np.ndarray:
    """Colours with transparency, shape (n, h, w, 4), on white."""
    opacity = pixels[..., 3:].astype(np.float32) / 255
    return _rounded(pixels[..., :3] * opacity + 255 * (1 - opacity))

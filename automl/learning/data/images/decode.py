"""The one decoder, of training and prediction: a file, bytes, a PIL image or an array as pixels of a given size."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from automl.errors import DataError
from automl.learning.data.images.arrays import as_picture
from automl.learning.data.images.colours import is_grey, with_channels
from automl.learning.data.images.encoded import Picture
from automl.learning.data.images.endings import FORMATS
from automl.regular import open_regular

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["PictureError", "decode", "look", "refit"]

_ORIENTATION = 0x0112
"""EXIF's tag for how the camera was held."""
_ON_ITS_SIDE = 5
"""The first of EXIF's orientations whose height is the picture's width."""
_DETAIL = 2
"""A JPEG may be decoded at this many times the size that is wanted at least: a photo takes an eighth of the time."""


_MOST_PIXELS = 89_478_485
"""The pixels that Pillow allows by default. A small file can unpack to any number of pixels ..."""
_ANY_FILE = 16_000_000
"""... but a blank page of a scanner to this many, and ..."""
_PER_BYTE = 200
"""... anything else to so many for each of its bytes."""


class PictureError(Exception):
    """A picture cannot be read; the message says why, without its name.

    Attributes:
        passing: the reason is the machine, not the picture: it may be readable another time.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


def decode(picture: Picture, shape: tuple[int, int, int]) -> np.ndarray:
    """The pixels of a picture, stretched to a size.

    EXIF's rotation is applied; of an animation the first frame counts; see `automl.learning.data.images.colours` for
    modes.

    Args:
        picture: content of any kind.
        shape: height, width, channels.

    Returns:
        uint8, `shape`.

    Raises:
        PictureError: it is damaged, not a picture, or too large to be one.
    """
    from PIL import ImageOps

    with _opened(picture) as image:
        image.draft(None, (_DETAIL * max(shape[:2]),) * 2)  # either way up, if EXIF turns it
        if _orientation(image) != 1:
            image = ImageOps.exif_transpose(image)
        return _pixels(image, shape)


def look(picture: Picture) -> tuple[int, int, int]:
    """Height, width and channels of a picture, from its beginning.

    Raises:
        PictureError: as `decode`.
    """
    with _opened(picture) as image:
        width, height = image.size
        if _orientation(image) >= _ON_ITS_SIDE:
            width, height = height, width
        return height, width, 1 if is_grey(image) else 3


def _orientation(image: Image) -> int:
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def refit(pixels: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Decoded pixels, shape (h, w, 1 or 3), in another size or with other channels."""
    return _pixels(_as_image(pixels), shape)


def _pixels(image: Image, shape: tuple[int, int, int]) -> np.ndarray:
    """Bilinear, and smoothed where it becomes smaller."""
    from PIL.Image import Resampling

    height, width, channels = shape
    image = with_channels(image, channels)
    if image.size != (width, height):
        image = image.resize((width, height), Resampling.BILINEAR)
    return np.asarray(image).reshape(shape)


def _as_image(pixels: np.ndarray) -> Image:
    import PIL.Image

    return PIL.Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels))


@contextmanager
def _opened(picture: Picture) -> Iterator[Image]:
    """The picture, closed at the end if it was opened here; errors while it is used are PictureErrors."""
    import PIL.Image
    from PIL import UnidentifiedImageError

    most = PIL.Image.MAX_IMAGE_PIXELS or _MOST_PIXELS  # some library may have switched it off
    try:
        with ExitStack() as opened:
            image, size = _image(picture.content, picture.white, opened)
            most = most if size is None else min(most, max(_ANY_FILE, _PER_BYTE * size))
            if image.width * image.height > most:
                raise PIL.Image.DecompressionBombError
            yield image
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise PictureError(f"more than {most:,} pixels, too many to be decoded safely") from None
    except UnidentifiedImageError:
        raise PictureError("no picture of a known format") from None
    except PermissionError:
        raise PictureError("no permission to read it", passing=True) from None
    except FileNotFoundError:
        raise PictureError("there is no such file", passing=True) from None
    except IsADirectoryError:
        raise PictureError("a folder, not a picture") from None
    except DataError as error:
        raise PictureError(str(error).rstrip(".")) from None
    except MemoryError:
        raise PictureError("too large for the memory", passing=True) from None
    except OSError as error:  # with a number it is the system's, otherwise Pillow's
        reason = error.strerror or f"damaged: {str(error).rstrip('.')}"
        raise PictureError(reason, passing=error.errno is not None) from error
    except Exception as error:  # each of Pillow's decoders raises others for damaged files
        raise PictureError(f"damaged: {str(error).rstrip('.') or type(error).__name__}") from error


def _image(content: Any, white: int | None, opened: ExitStack) -> tuple[Image, int | None]:
    """The picture, to be closed with `opened`, and the bytes that it comes of; None if it is in memory already."""
    import PIL.Image

    if isinstance(content, PIL.Image.Image):
        return opened.enter_context(content.copy()), None  # Pillow's draft mode and rotation change what they are given
    if isinstance(content, bytes):
        file: BinaryIO = io.BytesIO(content)
        size = len(content)
    elif isinstance(content, Path):
        file = opened.enter_context(open_regular(content))
        size = os.fstat(file.fileno()).st_size
    else:
        return opened.enter_context(_from_array(content, white)), None
    return opened.enter_context(PIL.Image.open(file, formats=_formats())), size


def _from_array(content: Any, white: int | None) -> Image:
    if content is None:
        raise DataError("there is none")
    return _as_image(as_picture(content, white))


@cache
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow was built with."""
    import PIL.Image

    PIL.Image.init()
    return tuple(name for name in FORMATS if name in PIL.Image.OPEN)

"""Pictures of every mode that Pillow knows as grey or as red, green and blue, 8 bits each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["is_grey", "with_channels"]

_GREY = frozenset({"1", "L", "LA", "La", "I", "F"})
_DEEP = 65535 / 255
"""16-bit values per 8-bit value."""


def is_grey(image: Image) -> bool:
    """True if the picture's mode has no colours."""
    return image.mode in _GREY or image.mode.startswith("I;16")


def with_channels(image: Image, channels: int) -> Image:
    """A picture of mode ``L`` (1 channel) or ``RGB`` (3).

    Transparent parts become white, as on a page: what is under them is arbitrary, black more often than not. 16 bits
    become 8 by their range, whatever part of it the picture uses, so that two pictures stay comparable. CMYK becomes
    RGB without a colour profile. Colours become grey by ITU-R 601 (0.299, 0.587, 0.114).
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = _on_white(image.convert("RGBA"))
    return image.convert("L" if channels == 1 else "RGB")


def _on_white(image: Image) -> Image:
    import PIL.Image

    return PIL.Image.alpha_composite(PIL.Image.new("RGBA", image.size, "white"), image)


def _eight_bits(image: Image) -> Image:
    """Integers by the range of 16 bits; floats from 0..1 or 0..255, as arrays are read."""
    import numpy as np
    import PIL.Image

    from automl.learning.data.images.arrays import as_bytes

    values = np.asarray(image)
    if image.mode == "F":
        return PIL.Image.fromarray(as_bytes(values))
    return PIL.Image.fromarray(np.clip(np.rint(values / _DEEP), 0, 255).astype(np.uint8))

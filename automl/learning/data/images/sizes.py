"""The one size that pictures of a source are brought to."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Sequence

from automl.errors import DataError
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.data.images.decode import PictureError, look
from automl.learning.data.images.encoded import Encoded
from automl.learning.data.reading.apart import run_apart
from automl.learning.data.reading.bounds import memory_for
from automl.learning.data.reading.context import Reading
from automl.memory import total_and_available

__all__ = ["ALIKE_SIDE", "MIXED_SIDE", "MOST_PIXEL_BYTES", "choose_size", "require_room"]

IMPORTS = ("PIL.Image", "pyarrow.parquet")
"""Modules that looking at pictures apart needs."""
ALIKE_SIDE = 128
"""Pixels of the longer side up to which pictures that are all alike keep their size."""
MIXED_SIDE = 64
"""Pixels of the square that pictures of different sizes are brought to, at most."""
MOST_PIXEL_BYTES = 4 << 30
"""Bytes that the pixels of all pictures may take where no size is asked for."""
_LOOKED_AT = 1000
"""Pictures whose size is looked at."""
_SMALLEST = 8


def choose_size(
    pictures: Encoded, asked: tuple[int, int] | None = None, reading: Reading | None = None
) -> tuple[tuple[int, int, int], tuple[Guardrail, ...]]:
    """Height, width and channels for pictures that are not decoded yet, and what there is to say about it.

    Pictures that are all alike keep their size, up to `ALIKE_SIDE` for the longer side; others become squares of the
    median of their shorter sides, up to `MIXED_SIDE`. Both shrink until all pixels fit into `MOST_PIXEL_BYTES`. Up to
    1,000 pictures, spread over all, are looked at. They are grey if all of these are.

    Args:
        pictures: at least one.
        asked: height and width that the user wants.
        reading: the circumstances.

    Raises:
        DataError: none of the pictures can be read, or at the size that was asked for they exceed the memory.
    """
    reading = reading or Reading()
    if pictures.apart:
        what = pictures.described
        seen = run_apart(_look_at, pictures, what=what, reading=reading, memory=memory_for(pictures.bytes))
    else:
        seen = _look_at(pictures, reading)
    channels = max(channels for _, _, channels in seen)
    sizes = [(height, width) for height, width, _ in seen]
    alike = len(set(sizes)) == 1
    if asked is not None:
        height, width = asked
        require_room(len(pictures) * channels * height * width)
    else:
        height, width = _alike(sizes[0]) if alike else _square(sizes)
        height, width = _fitting(height, width, len(pictures) * channels)
    return (height, width, channels), (_told(sizes, alike, height, width),)


def _look_at(pictures: Encoded, reading: Reading) -> Sequence[tuple[int, int, int]]:
    seen, reason = [], ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for picture in pictures.sample(_LOOKED_AT):
            reading.check(f"the pictures up to {picture.name}")
            try:
                seen.append(look(picture))
            except PictureError as error:
                reason = reason or f"{picture.name} ({error})"
    if not seen:
        raise DataError(f"None of the pictures can be read, such as {reason}.")
    return seen


def _alike(size: tuple[int, int]) -> tuple[int, int]:
    return _scaled(*size, min(1.0, ALIKE_SIDE / max(size)))


def _square(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    side = min(MIXED_SIDE, round(statistics.median(min(size) for size in sizes)))
    return (max(_SMALLEST, side),) * 2


def _fitting(height: int, width: int, planes: int) -> tuple[int, int]:
    """The size, or a smaller one where `planes` of it would not fit into `MOST_PIXEL_BYTES`."""
    too_many = height * width * planes / MOST_PIXEL_BYTES
    return _scaled(height, width, too_many**-0.5) if too_many > 1 else (height, width)


def _scaled(height: int, width: int, factor: float) -> tuple[int, int]:
    return max(1, int(height * factor + 1e-9)), max(1, int(width * factor + 1e-9))


def require_room(size: int) -> None:
    """Refuse pixels of `size` bytes that this machine cannot hold.

    Raises:
        DataError: it cannot.
    """
    memory, _ = total_and_available()
    if size > memory:
        raise DataError(
            f"At this size the pixels take {size / 2**30:,.0f} GB, and this machine has {memory / 2**30:,.0f} GB of "
            "memory; write a smaller data.image_size."
        )


def _told(sizes: Sequence[tuple[int, int]], alike: bool, height: int, width: int) -> Guardrail:
    there = f"{sizes[0][0]} x {sizes[0][1]}"
    if alike and sizes[0] == (height, width):
        return Guardrail("image_sizes", Verdict.PASSED, f"All pictures are {there} pixels.")
    if not alike:
        heights, widths = zip(*sizes, strict=True)
        there = f"{min(heights)} x {min(widths)} to {max(heights)} x {max(widths)}"
    message = f"Pictures of {there} pixels are resized to {height} x {width}; data.image_size sets another size."
    return Guardrail("image_sizes", Verdict.DONE, message)

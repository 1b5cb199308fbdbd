"""All pictures of a source decoded to one size: on all cores, once, and with the damaged ones named."""

from __future__ import annotations

import hashlib
import math
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.deadline import Deadline
from automl.errors import DataError
from automl.learning.data.images.cache import DecodedWriter, find_decoded
from automl.learning.data.images.decode import PictureError, decode
from automl.learning.data.images.encoded import Encoded, Picture
from automl.learning.data.images.images import Images
from automl.learning.data.images.progress import progress_bar
from automl.learning.data.names import some
from automl.learning.data.reading.apart import run_apart
from automl.learning.data.reading.bounds import memory_for
from automl.learning.data.reading.context import Reading

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Decoded", "Skipped", "decode_all", "decode_each", "skip_limit"]

IMPORTS = ("PIL.Image", "PIL.ImageOps", "pyarrow.parquet")
"""Modules that decoding pictures apart needs."""
_VERSION = 2
"""The decoder's version; a change that gives other pixels raises it."""
_BLOCK = 256
"""Pictures that are read ahead of what is written."""
_MOST_SKIPPED = 100
_SHARE_SKIPPED = 0.01
_TELLING = 2.0
"""Seconds of decoding from which its speed is known."""


@dataclass(frozen=True)
class Skipped:
    """A picture that cannot be read: its position in the source, its name, why, and whether that may pass."""

    position: int
    name: str
    reason: str
    passing: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


@dataclass(frozen=True, eq=False)
class Decoded:
    """Decoded pictures, and those that could not be decoded.

    Attributes:
        images: those that could be read, in their order.
        skipped: the others.
    """

    images: Images
    skipped: tuple[Skipped, ...] = ()

    def kept(self, count: int) -> np.ndarray:
        """(count,) bool: which pictures of the source are among `images`."""
        kept = np.ones(count, bool)
        kept[[skipped.position for skipped in self.skipped]] = False
        return kept


def skip_limit(count: int) -> int:
    """Return how many of `count` pictures may be damaged: one in a hundred, at least one and at most 100."""
    return max(1, min(_MOST_SKIPPED, int(_SHARE_SKIPPED * count)))


def decode_all(pictures: Encoded, shape: tuple[int, int, int], reading: Reading | None = None) -> Decoded:
    """Every picture as pixels. The result is kept in the cache and mapped into memory from there.

    Args:
        pictures: of any sizes.
        shape: height, width, channels to decode to.
        reading: the circumstances.

    Raises:
        DataError: more are damaged than `skip_limit` allows, or decoding them outlasts the deadline.
    """
    reading = reading or Reading()
    key = _key(pictures, shape)
    found = find_decoded(key) if key is not None else None
    if found is not None:
        return _as_found(*found)
    if not pictures.apart:
        return _decode_here(pictures, shape, key, reading)
    memory = memory_for(pictures.bytes) + len(pictures) * math.prod(shape)
    decoded = run_apart(_decode_apart, pictures, shape, key, what=pictures.described, reading=reading, memory=memory)
    found = find_decoded(key) if decoded is None and key is not None else None
    if found is not None:
        return _as_found(*found)
    return decoded or _decode_here(pictures, shape, key, reading)  # the cache has been emptied meanwhile


def _as_found(pixels: np.ndarray, facts: Mapping[str, Any]) -> Decoded:
    return Decoded(Images(pixels), tuple(Skipped(*each) for each in facts["skipped"]))


def _decode_apart(pictures: Encoded, shape: tuple[int, int, int], key: str | None, reading: Reading) -> Decoded | None:
    """The pictures, or None where they are in the cache: nothing has to be sent then."""
    decoded = _decode_here(pictures, shape, key, reading)
    return decoded if key is None or find_decoded(key) is None else None


def _decode_here(pictures: Encoded, shape: tuple[int, int, int], key: str | None, reading: Reading) -> Decoded:
    count, done, skipped, began = len(pictures), 0, list[Skipped](), time.monotonic()
    writer = DecodedWriter(key, count, shape)
    try:
        with progress_bar("Decoding pictures", count, show=reading.progress) as advance:
            for block in decode_each(pictures, shape, reading):
                good = [each for each in block if not isinstance(each, Skipped)]
                skipped += [each for each in block if isinstance(each, Skipped)]
                if len(skipped) > skip_limit(count):
                    raise _too_many(skipped, count)
                if good:
                    writer.add(np.stack(good))
                advance(len(block))
                done += len(block)
                if reading.deadline is not None:
                    _require_time(reading.deadline, time.monotonic() - began, done, count)
        if len(skipped) == count:
            raise _too_many(skipped, count)
        facts = {"skipped": [(each.position, each.name, each.reason) for each in skipped]}
        keep = not any(each.passing for each in skipped)
        return Decoded(Images(writer.close(facts, keep=keep)), tuple(skipped))
    finally:
        writer.discard()


def decode_each(
    pictures: Iterable[Picture], shape: tuple[int, int, int], reading: Reading
) -> Iterator[list[np.ndarray | Skipped]]:
    """Blocks of pictures, decoded by as many threads as there are cores: Pillow lets go of the interpreter's lock.

    Raises:
        DataError: the time is over before one of them.
    """
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's about broken EXIF and palettes, which are not news
        numbered = enumerate(pictures)
        while block := list(islice(numbered, _BLOCK)):
            yield _decode_block(pool, block, shape, threads, reading)


def _decode_block(
    pool: Executor,
    block: Sequence[tuple[int, Picture]],
    shape: tuple[int, int, int],
    threads: int,
    reading: Reading,
) -> list[np.ndarray | Skipped]:
    size = -(-len(block) // threads)
    parts = [block[begin : begin + size] for begin in range(0, len(block), size)]
    return [each for decoded in pool.map(lambda part: _decode_part(part, shape, reading), parts) for each in decoded]


def _decode_part(
    part: Sequence[tuple[int, Picture]], shape: tuple[int, int, int], reading: Reading
) -> list[np.ndarray | Skipped]:
    decoded = list[np.ndarray | Skipped]()
    for position, picture in part:
        reading.check(f"the pictures up to {picture.name}")
        try:
            decoded.append(decode(picture, shape))
        except PictureError as error:
            decoded.append(Skipped(position, picture.name, str(error), error.passing))
    return decoded


def _require_time(deadline: Deadline, seconds: float, done: int, count: int) -> None:
    """Raise once it is plain that nothing of the budget would be left when all pictures are decoded."""
    rest, left = seconds / done * (count - done), deadline.remaining()
    if seconds >= _TELLING and rest > left:
        raise DataError(
            f"Decoding {count:,} pictures takes about {rest:,.0f} s more, and {left:,.0f} s are left of the time "
            "budget: give more time, or fewer pixels by data.image_size."
        )


def _too_many(skipped: Sequence[Skipped], count: int) -> DataError:
    named = some([str(each) for each in skipped], 3)
    if len(skipped) == 1:
        return DataError(f"The only picture cannot be read: {named}.")
    return DataError(
        f"At least {len(skipped)} of {count:,} pictures cannot be read, and {skip_limit(count)} may be left out: "
        f"{named}."
    )


def _key(pictures: Encoded, shape: tuple[int, int, int]) -> str | None:
    """Return a hash of all that decoded pixels depend on; None if the pictures have no key."""
    import PIL

    files = pictures.key
    if files is None:
        return None
    return hashlib.sha256(f"{files} {shape} {_VERSION} {PIL.__version__}".encode()).hexdigest()[:40]

"""Pictures of one size, as one array: what a table's X is where rows are images."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

import numpy as np

__all__ = ["Images"]


class Images:
    """n pictures. Rows are taken as from a DataFrame (`take`, `head`, `len`).

    Pickled with protocol 5, the pixels travel out of band: the workers of a machine share one copy.

    Args:
        pixels: uint8, shape (n, height, width, channels); channels is 1 (grey) or 3 (red, green, blue). It may be
            memory-mapped, and is never written to.
    """

    __slots__ = ("pixels",)
    rows: ClassVar[str] = "pictures"

    def __init__(self, pixels: np.ndarray) -> None:
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3):
            raise ValueError(f"pixels are uint8 of shape (n, height, width, 1 or 3), not {pixels.dtype} {pixels.shape}")
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, height, width, channels)."""
        return self.pixels.shape

    @property
    def size(self) -> int:
        """Values in all, as a DataFrame counts its cells."""
        return int(self.pixels.size)

    def take(self, rows: Any) -> Images:
        """The pictures at the positions `rows`, in that order: a copy."""
        return Images(self.pixels[np.asarray(rows)])

    def head(self, n: int = 5) -> Images:
        return Images(self.pixels[:n])

    def hashes(self) -> np.ndarray:
        """(n,) uint64: equal for equal pictures, and with all but certainty different for different ones."""
        digests = b"".join(
            hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=8).digest() for picture in self.pixels
        )
        return np.frombuffer(digests, dtype=np.uint64)

    def __reduce__(self) -> tuple[type[Images], tuple[np.ndarray]]:
        return Images, (np.ascontiguousarray(self.pixels),)  # a plain array: a map would be pickled by its bytes

    def __repr__(self) -> str:
        n, height, width, channels = self.shape
        return f"Images({n:,} of {height} x {width} x {channels})"

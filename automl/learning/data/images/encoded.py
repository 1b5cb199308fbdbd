"""Pictures that are not decoded yet. They are read one by one and need not fit into memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Encoded", "EncodedPictures", "Picture", "files_key"]


_FEW = 1000


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        name: what messages call it: its path, or its place.
        content: a Path, the bytes of a file, a PIL image, or an array; None where there is nothing.
        white: its value in the array, see `automl.learning.data.images.arrays.as_bytes`; None where that one decides.
    """

    name: str
    content: Any
    white: int | None = None


class Encoded(Protocol):
    """n pictures in a fixed order.

    Attributes:
        key: the same as long as the files are; None if they are in memory.
        apart: they should be read in a separate process: see `automl.learning.data.reading.apart`.
        bytes: that their files hold.
        described: what messages call them.
    """

    @property
    def key(self) -> str | None: ...

    @property
    def apart(self) -> bool: ...

    @property
    def bytes(self) -> int: ...

    @property
    def described(self) -> str: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Picture]: ...

    def sample(self, most: int) -> Iterator[Picture]:
        """Up to `most` pictures, spread over all."""
        ...


@dataclass(frozen=True, eq=False)
class EncodedPictures:
    """Pictures in files or in memory, all known by name.

    Attributes:
        pictures: in their order.
        white: its value in those that are arrays; None where their types say it.
    """

    pictures: Sequence[Picture]
    white: int | None = None

    @property
    def key(self) -> str | None:
        paths = [picture.content for picture in self.pictures if isinstance(picture.content, Path)]
        return files_key(paths) if len(paths) == len(self.pictures) else None

    @property
    def apart(self) -> bool:
        """Many files may hold one that keeps a decoder busy forever; few are looked at, one by one, beforehand."""
        return len(self.pictures) > _FEW and all(isinstance(picture.content, Path) for picture in self.pictures)

    @property
    def bytes(self) -> int:
        return sum(each.content.stat().st_size for each in self.pictures if isinstance(each.content, Path))

    @property
    def described(self) -> str:
        return f"{len(self.pictures):,} pictures, the first of them {self.pictures[0].name}"

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Picture]:
        return iter(self.pictures)

    def sample(self, most: int) -> Iterator[Picture]:
        step = max(1, -(-len(self.pictures) // most))
        return iter(self.pictures[::step])


def files_key(paths: Sequence[Path]) -> str | None:
    """sha256 over the files' absolute paths, sizes and times of change; None if one cannot be looked at."""
    digest = hashlib.sha256()
    try:
        for path in paths:
            status = path.stat()
            digest.update(f"{os.path.abspath(path)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="replace"))
    except OSError:
        return None
    return digest.hexdigest()

"""The cache of downloads and decoded pictures: each is made once.

Decoded pictures are in one .npy file per source and size, which later loads map into memory.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import secrets
import time
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from automl.engine.workspace.atomic import leftovers, read_json, write_json
from automl.engine.workspace.caches import user_cache
from automl.errors import WorkspaceError

__all__ = ["MOST_BYTES", "DecodedWriter", "cache_folder", "find_decoded"]

MOST_BYTES = 10 << 30
"""Bytes of decoded pictures that are kept; those that were not used for the longest time go first."""
_ABANDONED = 24 * 3600
"""Seconds after which a file that was being written is abandoned."""

_log = logging.getLogger("automl")


def cache_folder(kind: str) -> Path:
    """The folder of `kind` in the user's cache. It need not be there."""
    return user_cache() / kind


def find_decoded(key: str) -> tuple[np.ndarray, dict[str, Any]] | None:
    """Pixels that were decoded before, mapped read-only, and the facts written beside them; None if there are none."""
    path = _decoded() / f"{key}.npy"
    try:
        if not path.is_file():
            return None
        facts = read_json(path.with_suffix(".json"))
        pixels = _mapped(path)
        if facts.get("count") != len(pixels):
            raise ValueError("from another decoding than is written beside them")
        with contextlib.suppress(OSError):
            os.utime(path)
    except (OSError, ValueError, WorkspaceError) as error:
        _log.info("The decoded pictures in %s cannot be read (%s); they are decoded again.", path, error)
        return None
    return pixels, facts


class DecodedWriter:
    """Takes pixels block by block: into a file of the cache, or into memory where the cache cannot take them.

    A block is written, and not assigned to a mapped file: on a full disk that would end the process (SIGBUS).

    Args:
        key: of the source and the size; None for memory.
        most: pictures that may come.
        shape: height, width, channels.
    """

    def __init__(self, key: str | None, most: int, shape: tuple[int, int, int]) -> None:
        self._most, self._shape, self._done = most, shape, 0
        self._memory: np.ndarray | None = None
        self._file: FileIO | None = None
        self._data_begins = 0
        size = most * int(np.prod(shape))
        if key is None or size > MOST_BYTES:
            self._memory = self._room()
            return
        self._path = _decoded() / f"{key}.npy"
        token = f"{os.getpid()}{secrets.randbelow(10**9):09}"  # two machines that share a disk may share a number
        self._temporary = self._path.with_name(f".{self._path.name}.{token}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _tidy(self._path.parent, room_for=size)
            self._file = FileIO(self._temporary, "xb")
            self._write_header(most)
        except OSError as error:
            self._go_on_in_memory(error)

    def add(self, pixels: np.ndarray) -> None:
        """The next pictures, shape (k, height, width, channels)."""
        if self._file is not None:
            try:
                _write_all(self._file, pixels.tobytes())
            except OSError as error:
                self._go_on_in_memory(error)
        if self._memory is not None:
            self._memory[self._done : self._done + len(pixels)] = pixels
        self._done += len(pixels)

    def close(self, facts: Mapping[str, Any] = MappingProxyType({}), *, keep: bool = True) -> np.ndarray:
        """All pictures that came.

        Args:
            facts: kept beside them.
            keep: False: for this time only. The next load decodes again.
        """
        if self._file is not None:
            try:
                self._write_header(self._done)
                self._file.close()
                pixels = _mapped(self._temporary)
                if keep:
                    write_json(self._path.with_suffix(".json"), {**facts, "count": self._done})
                    os.replace(self._temporary, self._path)
                else:
                    self._temporary.unlink()
                self._file = None
                return pixels
            except (OSError, WorkspaceError) as error:
                self._go_on_in_memory(error)
        assert self._memory is not None
        return self._memory[: self._done]

    def discard(self) -> None:
        """Leave nothing behind, after an error."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)

    def _room(self) -> np.ndarray:
        return np.empty((self._most, *self._shape), np.uint8)

    def _write_header(self, count: int) -> None:
        """NumPy pads headers: one can be rewritten when the number of pictures is known."""
        assert self._file is not None
        header = io.BytesIO()
        shape = (count, *self._shape)
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        self._file.seek(0)
        _write_all(self._file, header.getvalue())
        self._data_begins = self._file.tell()

    def _go_on_in_memory(self, error: Exception) -> None:
        """With what the file holds so far."""
        _log.info("Decoded pictures cannot be kept in %s (%s); they stay in memory.", _decoded(), error)
        self._memory = self._room()
        done = self._memory[: self._done].reshape(-1)
        if done.size:
            done[:] = np.fromfile(self._temporary, np.uint8, count=done.size, offset=self._data_begins)
        self.discard()


def _write_all(file: FileIO, content: bytes) -> None:
    """Unbuffered: what was written without an error is there."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _mapped(path: Path) -> np.ndarray:
    pixels: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    return pixels


def _decoded() -> Path:
    return cache_folder("decoded")


def _tidy(folder: Path, *, room_for: int) -> None:
    """Remove what killed processes left, and the arrays not used for the longest time, until `room_for` bytes fit."""
    old = time.time() - _ABANDONED
    for path in leftovers(folder):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < old:
                path.unlink()
    kept = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("[!.]*.npy"))
    excess = sum(size for _, size, _ in kept) + room_for - MOST_BYTES
    for _, size, path in kept:
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
        excess -= size

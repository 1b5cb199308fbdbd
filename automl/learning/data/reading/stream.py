"""Streams that are counted, checked against the clock, and unpacked no further than is allowed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from automl.errors import DataError
from automl.learning.data.reading.bounds import unpacked_for
from automl.learning.data.reading.context import Reading

__all__ = ["COMPRESSIONS", "DAMAGES", "ByteSource", "Metered", "read_all", "read_up_to", "unpack"]

BLOCK = 1 << 20


class ByteSource(Protocol):
    """Something to read bytes from."""

    def read(self, size: int, /) -> bytes: ...


class Metered(io.RawIOBase):
    """`source`, of which `most` bytes may be read before the time is over.

    Args:
        source: where the bytes come from.
        most: bytes.
        refuse: the error for more of them.
        reading: whose clock is looked at before each block.
        what: is read, as it may be shown.
    """

    def __init__(
        self, source: ByteSource, most: int, refuse: Callable[[], Exception], reading: Reading, what: str
    ) -> None:
        super().__init__()
        self._source, self._most, self._refuse = source, most, refuse
        self._reading, self._what = reading, what
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._reading.check(self._what)
        content = self._source.read(min(len(buffer), BLOCK))
        self.count += len(content)
        if self.count > self._most:
            raise self._refuse()
        buffer[: len(content)] = content
        return len(content)

    def buffered(self) -> io.BufferedReader:
        """The same for libraries that want a file."""
        return io.BufferedReader(self, BLOCK)


def _zst(source: ByteSource) -> ByteSource:
    import pyarrow

    stream: ByteSource = pyarrow.CompressedInputStream(pyarrow.PythonFile(source, mode="r"), "zstd")
    return stream


COMPRESSIONS: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda source: gzip.GzipFile(fileobj=source, mode="rb"),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": _zst,
}
"""By a file's ending: what unpacks a stream, block by block."""
DAMAGES = (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError)
"""Errors that they raise for a stream that is damaged or cut off."""


def unpack(source: ByteSource, ending: str, size: int, reading: Reading, what: str) -> Metered:
    """Return the stream that a compressed one unpacks to.

    Args:
        source: the compressed bytes.
        ending: a key of `COMPRESSIONS`; empty for a stream that is not compressed.
        size: of the source, in bytes.
        reading: its circumstances.
        what: is read, as it may be shown.
    """
    most = unpacked_for(size)

    def refuse() -> DataError:
        return DataError(
            f"{what} unpacks to more than {most / 2**20:,.0f} MB, {most / max(size, 1):,.0f} times its size, which no "
            "honest file of that size does; unpack it yourself if it is one."
        )

    return Metered(COMPRESSIONS[ending](source) if ending else source, most, refuse, reading, what)


def read_all(stream: Metered) -> io.BytesIO:
    """All that a stream holds."""
    content = io.BytesIO()
    while block := stream.read(BLOCK):
        content.write(block)
    content.seek(0)
    return content


def read_up_to(stream: Metered, most: int) -> io.BytesIO | None:
    """All that a stream holds, or None if that is more than `most` bytes."""
    content = io.BytesIO()
    while content.tell() <= most:
        block = stream.read(BLOCK)
        if not block:
            content.seek(0)
            return content
        content.write(block)
    return None

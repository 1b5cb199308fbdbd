"""The bytes behind a URL, as many as may come. Runs in the process of `automl.learning.data.reading.apart`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from automl.errors import DataError
from automl.learning.data.reading.bounds import MOST_FETCHED, MOST_UNANNOUNCED, memory_for
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.protocols import HTTP, protocol_of
from automl.learning.data.reading.protocols import told as shown
from automl.learning.data.reading.stream import ByteSource, read_all, unpack
from automl.learning.data.reading.web import answered
from automl.redact import without_secrets

__all__ = ["fetched"]

_BLOCK = 1 << 18
_ENCODINGS = {"gzip": ".gz", "x-gzip": ".gz"}
_NOT_FOUND = (404, 410)


def fetched(url: str, reading: Reading) -> io.BytesIO:
    """All bytes of the file behind `url`; what a server has compressed for the transfer is unpacked.

    Raises:
        DataError: it is not there, cannot be reached, is cut off, or larger than is read from a server.
    """
    told = shown(url)
    try:
        with _opened(url) as (source, announced, ending):
            content = _received(source, announced, told, reading)
            if not ending:
                return content
            return read_all(unpack(content, ending, len(content.getbuffer()), reading, told))
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"Cannot read {told}: it is not there, or cannot be reached.") from None
    except Exception as error:  # every filesystem has its own errors
        reason = " ".join(without_secrets(str(error), url).split()).rstrip(".")
        raise DataError(f"Cannot read {told}: {reason or type(error).__name__}.") from None


@contextmanager
def _opened(url: str) -> Iterator[tuple[ByteSource, int | None, str]]:
    """Yield what to read from, how many bytes are announced, and how they are compressed for the transfer."""
    if protocol_of(url) in HTTP:
        with answered(url) as answer:
            _require_content(answer, shown(url))
            length = answer.headers.get("Content-Length", "")
            packed = answer.headers.get("Content-Encoding", "").strip().lower()
            if packed not in ("", "identity", *_ENCODINGS):
                raise DataError(f"Cannot read {shown(url)}: the server compresses it as {packed[:40]!r}.")
            yield _Body(answer.raw), int(length) if length.isdecimal() else None, _ENCODINGS.get(packed, "")
        return
    import fsspec

    with fsspec.open(url, "rb", compression=None) as file:
        yield file, getattr(file, "size", None), ""


class _Body:
    """The body of an answer as it comes: whatever has arrived, and not as much as was asked for."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def read(self, size: int, /) -> bytes:
        content: bytes | None = self._raw.read1(size, decode_content=False)
        return content or b""


def _require_content(answer: Any, told: str) -> None:
    if answer.status_code in _NOT_FOUND:
        raise FileNotFoundError
    if answer.status_code != 200:
        raise DataError(f"Cannot read {told}: the server answers HTTP {answer.status_code}.")


def _received(source: ByteSource, announced: int | None, told: str, reading: Reading) -> io.BytesIO:
    most = MOST_UNANNOUNCED if announced is None else min(MOST_FETCHED, memory_for(announced))
    content = io.BytesIO()
    while content.tell() <= most and (announced is None or announced <= most):
        block = source.read(_BLOCK)
        if not block:
            if announced is not None and content.tell() < announced:
                raise DataError(
                    f"Cannot read {told}: it is cut off after {content.tell():,} of {announced:,} announced bytes."
                )
            reading.arrived(-1)
            content.seek(0)
            return content
        content.write(block)
        reading.arrived(len(block))
    raise DataError(
        f"Cannot read {told}: it is larger than {most / 2**20:,.0f} MB, the most that is read from a server "
        f"{'that announces no length' if announced is None else 'on this machine'}. Copy the file here first."
    )

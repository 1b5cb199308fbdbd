"""The end of a Parquet file: what it says about the content, before any of it is read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from automl.errors import DataError
from automl.learning.data.reading.bounds import memory_for

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData, ParquetFile

__all__ = ["is_bounded", "require_room"]

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4}
_WIDTH = 8
"""Bytes that a value takes at least in memory, by its physical type; of text that is a pointer or an offset."""

_SMALL = 4 << 20
"""Bytes of a file up to which it pays to find out whether it is harmless: a larger one takes its time anyway."""
_MOST = 64 << 20
"""Bytes of memory that a harmless one takes."""
_SHRINKS = {"UNCOMPRESSED": 1, "SNAPPY": 22}
"""Bytes that one byte can unpack to at most, where that is not many: Snappy copies 64 bytes for three."""
_STEPS = 4_000
"""Reads of a few rows, which take a tenth of a second or so together."""


def is_bounded(content: BinaryIO, size: int) -> bool:
    """Tell whether reading a Parquet file in this process is safe, whatever it announces; false where that is unknown.

    Pages of a known compression unpack to a known size at most, and numbers in plain columns take as much as there are
    rows. A text that is repeated by reference may be as long as everything unpacked, so texts are read a few rows at a
    time, and counted.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    if size > _SMALL:
        return False
    try:
        with ParquetFile(content) as file:
            plain = _unpacked(file.metadata)
            texts = _texts(file)
            if plain is None or plain > size * max(_SHRINKS.values()) or texts is None:
                return False
            columns = file.metadata.num_columns - len(texts)
            return columns * file.metadata.num_rows * _WIDTH <= _MOST and _is_little(file, texts, max(1, plain))
    except (OSError, ValueError, pyarrow.ArrowException):
        return False  # reading it says so
    finally:
        content.seek(0)


def _unpacked(footer: FileMetaData) -> int | None:
    """Bytes that all pages can unpack to at most."""
    total = 0
    for group in range(footer.num_row_groups):
        for position in range(footer.num_columns):
            chunk = footer.row_group(group).column(position)
            if chunk.compression not in _SHRINKS or chunk.total_compressed_size < 0:
                return None
            total += _SHRINKS[chunk.compression] * chunk.total_compressed_size
    return total


def _texts(file: ParquetFile) -> list[str] | None:
    """Columns whose values may be of any length; None where a row may hold several values."""
    columns = [file.metadata.schema.column(position) for position in range(file.metadata.num_columns)]
    if any(column.max_repetition_level for column in columns):
        return None
    return [column.path for column in columns if column.physical_type.endswith("BYTE_ARRAY")]


def _is_little(file: ParquetFile, texts: list[str], longest: int) -> bool:
    rows = max(1, _MOST // longest)
    if file.metadata.num_rows > rows * _STEPS:
        return False
    held = 0
    for batch in file.iter_batches(rows, columns=texts, use_threads=False) if texts else ():
        held += batch.nbytes
        if held > _MOST:
            return False
    return True


def require_room(content: BinaryIO, told: str) -> None:
    """Refuse a Parquet file that announces more than a file of its size may become.

    A few bytes can stand for millions of equal values, so its size says nothing. What it announces may be a lie,
    too: this spares the wait, and the memory of the process that reads it is watched all the same.

    Raises:
        DataError: it does.
        pyarrow.ArrowException: it has no readable end.
    """
    from pyarrow.parquet import ParquetFile

    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    footer = ParquetFile(content).metadata
    columns = [footer.schema.column(position) for position in range(footer.num_columns)]
    values = footer.num_rows * sum(_WIDTHS.get(column.physical_type, _WIDTH) for column in columns)
    plain = sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))
    content.seek(0)
    most = memory_for(size)
    if max(values, plain) > most:
        raise DataError(
            f"{told} holds {footer.num_rows:,} rows x {footer.num_columns:,} columns, "
            f"{max(values, plain) / 2**20:,.0f} MB in memory, and a file of its size may become "
            f"{most / 2**20:,.0f} MB: write it out in several files."
        )

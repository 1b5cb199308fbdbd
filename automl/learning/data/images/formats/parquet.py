"""Parquet with a column of pictures: one file, or several with train, test or validation in their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.errors import DataError
from automl.learning.data.images.encoded import Picture, files_key
from automl.learning.data.images.parts import part_of, train_and_test, unread
from automl.learning.data.images.source import ImageSource, Labelled, Wanted
from automl.learning.data.names import nearest, some
from automl.learning.data.reading.apart import run_apart
from automl.learning.data.reading.bounds import memory_for
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.footer import is_bounded
from automl.regular import open_regular

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

__all__ = ["LABELS", "ParquetPictures", "has_pictures", "label_column", "matches", "read", "read_file"]

IMPORTS = ("pandas", "pyarrow.parquet")
"""Modules that reading labels apart needs."""
LABELS = ("label", "labels", "target", "class", "fine_label", "category", "y")
"""Names of the column of labels where the user names none; the first that is there."""

_NAMED = re.compile(r"(?i)(.*[_. ])?(image|img|picture|photo)s?([_. ].*)?")
_BATCH = 256


def matches(folder: Path) -> bool:
    """Tell whether there are Parquet files in `folder` whose schema names pictures."""
    files = _files(folder)
    return bool(files) and has_pictures(files[0])


def has_pictures(path: Path) -> bool:
    """Tell whether a Parquet file holds pictures, by its schema: a struct with bytes, or a binary column named so."""
    import pyarrow
    from pyarrow.parquet import read_schema

    try:
        with open_regular(path) as file:
            schema = read_schema(file)
    except (OSError, pyarrow.ArrowException):
        return False
    return any(
        _is_struct(column.type) or (_is_binary(column.type) and _NAMED.fullmatch(column.name)) for column in schema
    )


def read(folder: Path, wanted: Wanted) -> ImageSource:
    """The Parquet files in `folder`, or else in its folders. Without a part in any name all are to train on.

    Raises:
        DataError: one cannot be read, has other columns than the first, or lacks pictures or labels.
    """
    files: dict[str, list[Path]] = {}
    for path in _files(folder):
        named = (part_of(name) for name in path.relative_to(folder).parts)
        files.setdefault(next((part for part in named if part), ""), []).append(path)
    others = files.pop("", [])
    if not files:
        files, others = {"train": others}, []
    ignored = unread([str(path.relative_to(folder)) for path in others], str(folder))
    columns = _columns(files[min(files)][0], wanted)
    parts = {part: _labelled(paths, columns, wanted) for part, paths in files.items()}
    train, test, guardrails = train_and_test(parts, str(folder))
    return ImageSource(folder.name, train, test, columns[1], (*guardrails, *ignored))


def read_file(path: Path, wanted: Wanted) -> ImageSource:
    """One file, whatever it is called.

    Raises:
        DataError: as `read`.
    """
    columns = _columns(path, wanted)
    return ImageSource(path.stem, _labelled([path], columns, wanted), target=columns[1])


def label_column(names: Sequence[str], wanted: Wanted) -> str:
    """The column that holds the labels, among those beside the pictures.

    Raises:
        DataError: it is not there, or it is not clear which it is.
    """
    if wanted.target is not None:
        if wanted.target not in names:
            raise DataError(
                f"The target {wanted.target!r} is not a column beside the pictures.{nearest(wanted.target, names)}"
            )
        return wanted.target
    known = next((name for name in LABELS if name in names), None)
    rest = [name for name in names if name not in wanted.columns]
    if known is None and len(rest) != 1:
        raise DataError(
            "Which column holds the labels? Name it with data.target; beside the pictures there "
            f"{'are ' + some(rest) if rest else 'is none'}."
        )
    return known or rest[0]


@dataclass(frozen=True, eq=False)
class ParquetPictures:
    """The pictures of Parquet files, read in batches.

    Attributes:
        files: in their order.
        column: that holds the pictures: bytes, or a struct with bytes.
    """

    files: tuple[Path, ...]
    column: str

    @property
    def key(self) -> str | None:
        key = files_key(self.files)
        return key and f"{key} {self.column}"

    @property
    def apart(self) -> bool:
        return _apart(self.files)

    @property
    def bytes(self) -> int:
        return _bytes(self.files)

    @property
    def described(self) -> str:
        return f"the pictures in {self.files[0]}"

    def __len__(self) -> int:
        from pyarrow.parquet import read_metadata

        rows = 0
        for path in self.files:
            with open_regular(path) as file:
                rows += read_metadata(file).num_rows
        return rows

    def __iter__(self) -> Iterator[Picture]:
        for path in self.files:
            yield from self._read(path)

    def sample(self, most: int) -> Iterator[Picture]:
        """The first few of every file: their order is arbitrary as a rule."""
        from itertools import islice

        for path in self.files:
            yield from islice(self._read(path), -(-most // len(self.files)))

    def _read(self, path: Path) -> Iterator[Picture]:
        from pyarrow.parquet import ParquetFile

        row = 0
        try:
            with open_regular(path) as opened, ParquetFile(opened) as file:
                for batch in file.iter_batches(_BATCH, columns=[self.column]):
                    for content in _contents(batch.column(0)):
                        yield Picture(f"row {row} of {path}", content)
                        row += 1
        except (OSError, ValueError) as error:  # Arrow's errors are ValueErrors
            raise _unreadable(path, error) from error


def _contents(column: pyarrow.Array) -> Iterator[bytes | None]:
    """Bytes of a batch; of a struct its field ``bytes``."""
    values = column.field("bytes") if _is_struct(column.type) else column
    for value in values:
        yield value.as_py()


def _labelled(files: Sequence[Path], columns: tuple[str, str], wanted: Wanted) -> Labelled:
    picture, label = columns
    names, reading = [label, *wanted.columns], wanted.reading
    if _apart(files):
        beside = run_apart(_beside, files, names, what=str(files[0]), reading=reading, memory=memory_for(_bytes(files)))
    else:
        beside = _beside(files, names, reading)
    return Labelled(ParquetPictures(tuple(files), picture), beside[label], beside.drop(columns=label))


def _apart(files: Sequence[Path]) -> bool:
    """Tell whether it is unknown what the files may unpack to: see `automl.learning.data.reading.apart`."""
    for path in files:
        try:
            with open_regular(path) as file:
                if not is_bounded(file, os.fstat(file.fileno()).st_size):
                    return True
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    return False


def _bytes(files: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _beside(files: Sequence[Path], names: Sequence[str], reading: Reading) -> pd.DataFrame:
    import pandas as pd
    from pyarrow.parquet import ParquetFile

    parts = list[pd.DataFrame]()
    for path in files:
        reading.check(str(path))
        try:
            with open_regular(path) as opened, ParquetFile(opened) as file:
                there = [name for name in dict.fromkeys(names) if name in file.schema_arrow.names]
                if names[0] not in there:
                    raise DataError(f"{path} has no column {names[0]!r}, which the other files have.")
                parts.append(file.read(columns=there).to_pandas())
        except (OSError, ValueError) as error:  # Arrow's errors are ValueErrors
            raise _unreadable(path, error) from error
    return pd.concat(parts, ignore_index=True)


def _columns(path: Path, wanted: Wanted) -> tuple[str, str]:
    """The names of the columns with pictures and with labels."""
    from pyarrow.parquet import read_schema

    try:
        with open_regular(path) as file:
            schema = read_schema(file)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    pictures = [column.name for column in schema if _is_struct(column.type) or _is_binary(column.type)]
    if not pictures:
        raise DataError(f"{path} has no column of pictures: bytes, or a struct with a field 'bytes'.")
    picture = next((name for name in pictures if _NAMED.fullmatch(name)), pictures[0])
    return picture, label_column([name for name in schema.names if name not in pictures], wanted)


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"Cannot read {path} as Parquet: {str(error).rstrip('.')}.")


def _files(folder: Path) -> list[Path]:
    """In the folder itself, or in its folders."""
    return sorted(folder.glob("[!.]*.parquet")) or sorted(folder.glob("*/[!.]*.parquet"))


def _is_struct(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_struct(kind)) and kind.get_field_index("bytes") >= 0


def _is_binary(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))

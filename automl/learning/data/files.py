"""Tables in files: CSV, TSV and Parquet, compressed or not, on this machine or behind a URL."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from automl.errors import DataError
from automl.learning.data.catalogue import CATALOGUE
from automl.learning.data.delimited import read_delimited
from automl.learning.data.guardrails import Guardrail
from automl.learning.data.images.locate import NAMES
from automl.learning.data.reading.apart import run_apart
from automl.learning.data.reading.bounds import MOST_FETCHED, memory_for
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.footer import is_bounded, require_room
from automl.learning.data.reading.protocols import is_url, local_file
from automl.learning.data.reading.protocols import told as shown
from automl.learning.data.reading.remote import fetched
from automl.learning.data.reading.stream import COMPRESSIONS, DAMAGES, Metered, read_all, read_up_to, unpack
from automl.redact import redact_url
from automl.regular import open_regular
from automl.visible import visible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FileTable", "read_file", "stem"]

IMPORTS = ("pandas", "pyarrow.parquet")
"""Modules that reading a file apart needs."""
_PARQUET = (".parquet", ".pq", ".parq")
_REFUSED = (".xlsx", ".xls", ".json", ".jsonl", ".pkl", ".pickle", ".npy", ".npz", ".feather", ".h5", ".zip", ".arff")
_MAGIC = b"PAR1"
_SAMPLE = 1 << 20
_SMALL = 32 << 20
"""Bytes of text that are parsed in this process: it takes half a second and 20 times as much memory at most ..."""
_FEW = 10_000
"""... in so many columns. Each costs a Python object or more."""
_LONGEST_PATH = 200
"""Characters of a path that a message shows."""

T = TypeVar("T")


@dataclass(frozen=True)
class FileTable:
    """The content of a file, and what was noticed while reading it."""

    frame: pd.DataFrame
    guardrails: tuple[Guardrail, ...] = field(default=())


def stem(location: str) -> str:
    """The file's name without folders and endings: ``churn`` for ``s3://bucket/churn.csv.gz``."""
    told = redact_url(location)
    name = PurePosixPath(told.partition("://")[2].partition("/")[2] if is_url(told) else Path(told).name).name
    for ending in (*COMPRESSIONS, Path(name.removesuffix(".gz")).suffix):
        name = name.removesuffix(ending) if ending else name
    return name or "data"


def read_file(location: str, reading: Reading | None = None) -> FileTable:
    """The table in a file.

    Small text files are read here. What comes from a server, and what is large or not text, is read in a separate
    process: see `automl.learning.data.reading.apart`.

    Args:
        location: path, or URL: see `automl.learning.data.reading.protocols`.
        reading: its circumstances.

    Raises:
        DataError: the file is missing, empty, not a regular file, of an unknown format, or damaged; or it becomes too
            large, or takes too long.
    """
    reading = reading or Reading()
    told = shown(location)
    path = local_file(location) if is_url(location) else location
    ending = _ending(told)
    if ending in _REFUSED:
        raise DataError(f"Cannot read {told}: {ending} files are not supported; save the table as CSV or Parquet.")
    if path is None:
        return run_apart(_from_server, location, what=told, reading=reading, memory=2 * MOST_FETCHED, network=True)
    with _open(path) as file:
        size = _size(file)
        if not size:
            raise DataError(f"The file {told} is empty.")
        small = _small(file, size, told, reading)
        if small is not None:
            return _table(small, told)
    return run_apart(_from_disk, path, told, what=told, reading=reading, memory=memory_for(size))


def _from_server(url: str, reading: Reading) -> FileTable:
    told = shown(url)
    content: BinaryIO = fetched(url, reading)
    packing = _packing(told)
    if packing:
        content = _unpacked(content, packing, told, reading, read_all)
    return _table(content, told)


def _from_disk(path: str, told: str, reading: Reading) -> FileTable:
    with _open(path) as file:
        packing = _packing(told)
        return _table(_unpacked(file, packing, told, reading, read_all) if packing else file, told)


def _table(content: BinaryIO, told: str) -> FileTable:
    start = content.read(len(_MAGIC))
    content.seek(0)
    return FileTable(_read_parquet(content, told)) if _is_parquet(told, start) else _text(content, told)


def _text(content: BinaryIO, told: str) -> FileTable:
    start = content.read(_SAMPLE)
    if not start.strip():
        raise DataError(f"The file {told} is empty.")
    delimiter = "\t" if _ending(told) in (".tsv", ".tab") else None
    return FileTable(*read_delimited(content, start, told, delimiter=delimiter))


def _small(file: BinaryIO, size: int, told: str, reading: Reading) -> BinaryIO | None:
    """The content of a file whose worst case is known: not much text, in not too many columns, or little Parquet.

    None for any other.
    """
    packing = _packing(told)
    if size > _SMALL:
        return None
    content: io.BytesIO | None = io.BytesIO(file.read(size))  # and no more: it may be growing
    if packing and content is not None:
        content = _unpacked(content, packing, told, reading, lambda plain: read_up_to(plain, _SMALL))
    if content is None:
        return None
    start = bytes(content.getbuffer()[:_SAMPLE])
    if _is_parquet(told, start):
        return content if is_bounded(content, len(content.getbuffer())) else None
    columns = max(map(start.partition(b"\n")[0].count, (b",", b";", b"\t", b"|")))
    return content if columns < _FEW else None


def _unpacked(content: BinaryIO, packing: str, told: str, reading: Reading, read: Callable[[Metered], T]) -> T:
    try:
        return read(unpack(content, packing, _size(content), reading, told))
    except DAMAGES as error:
        raise DataError(f"Cannot read {told}: {str(error).rstrip('.') or 'it is cut off'}.") from error


def _size(content: BinaryIO) -> int:
    return len(content.getbuffer()) if isinstance(content, io.BytesIO) else os.fstat(content.fileno()).st_size


def _ending(told: str) -> str:
    name = _name(told).removesuffix(_packing(told))
    return PurePosixPath(name).suffix


def _packing(told: str) -> str:
    """The ending that says how the whole file is compressed, or nothing."""
    return next((ending for ending in COMPRESSIONS if _name(told).endswith(ending)), "")


def _name(told: str) -> str:
    return PurePosixPath(told).name.lower()


def _is_parquet(told: str, start: bytes) -> bool:
    return _ending(told) in _PARQUET or start.startswith(_MAGIC)


def _open(location: str) -> BinaryIO:
    """A regular file.

    Raises:
        DataError: there is none, or it may not be read.
    """
    path = Path(location)
    try:
        path = path.expanduser()
        return open_regular(path)
    except FileNotFoundError:
        raise _missing(path) from None
    except IsADirectoryError:
        raise DataError(f"{_shown(path)} is a folder, not a table; name a file in it.") from None
    except (OSError, RuntimeError) as error:
        raise DataError(f"{_shown(path)} cannot be read: {getattr(error, 'strerror', error)}.") from error


def _shown(path: Path) -> str:
    text = visible(str(path), lines=False)
    return text if len(text) < _LONGEST_PATH else f"{text[:_LONGEST_PATH]}..."


def _missing(path: Path) -> DataError:
    names = sorted({*CATALOGUE, *NAMES})
    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except (OSError, ValueError):
        beside = []
    close = get_close_matches(path.name, beside, n=1) or get_close_matches(str(path), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    if not path.suffix:
        hint += f" The datasets of the catalogue are {', '.join(names)}."
    return DataError(f"There is no file {_shown(path)}.{hint}")


def _read_parquet(content: BinaryIO, told: str) -> pd.DataFrame:
    import pandas as pd

    try:
        require_room(content, told)
        return pd.read_parquet(content)
    except (OSError, ValueError) as error:  # Arrow's errors are ValueErrors
        raise DataError(f"Cannot read {told} as Parquet: {str(error).rstrip('.')}.") from error

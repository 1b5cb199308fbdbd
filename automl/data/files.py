"""Tables in files: CSV, TSV and Parquet, compressed or not, on this machine or behind a URL."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from automl.data.catalogue import CATALOGUE
from automl.data.delimited import read_delimited
from automl.data.guardrails import Guardrail
from automl.data.images.locate import NAMES
from automl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FileTable", "is_url", "read_file", "redacted", "stem"]

_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
_PARQUET = (".parquet", ".pq", ".parq")
_REFUSED = (".xlsx", ".xls", ".json", ".jsonl", ".pkl", ".pickle", ".npy", ".npz", ".feather", ".h5", ".zip", ".arff")
_SAMPLE = 1 << 20
_PLAIN = 64 << 20
_GROWTH = 200
"""A compressed file may unpack to 64 MB, and to 200 times its size: text tables shrink to a twentieth or so."""
_LONGEST_PATH = 200
"""Characters of a path that a message shows."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True)
class FileTable:
    """What a file held, and what was noticed while reading it."""

    frame: pd.DataFrame
    guardrails: tuple[Guardrail, ...] = field(default=())


def is_url(source: str) -> bool:
    return bool(_URL.match(source))


def redacted(location: str) -> str:
    """A path, or a URL without user, password and query: safe to print and to store."""
    if not is_url(location):
        return location
    parts = urlsplit(location)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def stem(location: str) -> str:
    """The file's name without folders and endings: ``churn`` for ``s3://bucket/churn.csv.gz``."""
    name = PurePosixPath(urlsplit(location).path if is_url(location) else Path(location).name).name
    for ending in (*_COMPRESSIONS, Path(name.removesuffix(".gz")).suffix):
        name = name.removesuffix(ending) if ending else name
    return name or "data"


def read_file(location: str) -> FileTable:
    """The table in a file.

    Args:
        location: path, or URL of any filesystem that fsspec knows (``https``, ``s3``, ``gs``, ...).

    Raises:
        DataError: the file is missing, empty, of an unknown format, or damaged.
    """
    content = _open(location)
    shown, ending = redacted(location), _ending(location)
    if ending in _REFUSED:
        raise DataError(f"Cannot read {shown}: {ending} files are not supported; save the table as CSV or Parquet.")
    start = _start_of(content)
    if not start.strip():
        raise DataError(f"The file {shown} is empty.")
    if ending in _PARQUET or start[:4] == b"PAR1":
        return FileTable(_read_parquet(content, shown))
    frame, guardrails = read_delimited(content, start, shown, delimiter="\t" if ending in (".tsv", ".tab") else None)
    return FileTable(frame, guardrails)


def _ending(location: str) -> str:
    name = PurePosixPath(urlsplit(location).path if is_url(location) else location).name.lower()
    for compression in _COMPRESSIONS:
        name = name.removesuffix(compression)
    return PurePosixPath(name).suffix


def _open(location: str) -> Path | io.BytesIO:
    """A plain local file by its path, so that it need not fit into memory twice; anything else as its bytes."""
    if not is_url(location):
        path = Path(location).expanduser()
        _require_file(path)
        if not path.name.lower().endswith(_COMPRESSIONS):
            return path
        location = str(path)
    import fsspec

    try:
        with fsspec.open(location, "rb") as file:
            return _unpacked(file.read(), location)
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"Cannot read {redacted(location)}: it is not there, or cannot be reached.") from None
    except ImportError as error:
        raise DataError(f"Cannot read {redacted(location)}: {error}.") from error
    except Exception as error:  # every filesystem has errors of its own
        reason = " ".join(str(error).replace(location, redacted(location)).split()).rstrip(".")
        raise DataError(f"Cannot read {redacted(location)}: {reason or type(error).__name__}.") from error


def _unpacked(content: bytes, location: str) -> io.BytesIO:
    """`content`, decompressed if the file's name says that it is compressed.

    Raises:
        DataError: it grows beyond what any table does: a small file could fill the memory.
    """
    from fsspec.compression import compr
    from fsspec.utils import infer_compression

    kind = infer_compression(PurePosixPath(urlsplit(location).path if is_url(location) else location).name)
    if kind is None:
        return io.BytesIO(content)
    plain = io.BytesIO()
    with compr[kind](io.BytesIO(content), mode="rb") as file:
        while block := file.read(_SAMPLE):
            plain.write(block)
            if plain.tell() > max(_PLAIN, _GROWTH * len(content)):
                raise DataError(
                    f"{redacted(location)} unpacks to more than {_GROWTH} times its size, which no table does; unpack "
                    "it yourself if it is one."
                )
    plain.seek(0)
    return plain


def _require_file(path: Path) -> None:
    """Pipes and devices are not read: they may never end.

    Raises:
        DataError: there is no such file, or it is no file.
    """
    try:
        if path.is_file():
            return
        if path.is_dir():
            raise DataError(f"{path} is a folder and no table; name a file in it.")
        if path.exists():
            raise DataError(f"{path} is no regular file.")
    except OSError as error:
        shown = str(path) if len(str(path)) < _LONGEST_PATH else f"{str(path)[:_LONGEST_PATH]}..."
        raise DataError(f"{shown} cannot be read: {error.strerror}.") from error
    names = sorted({*CATALOGUE, *NAMES})
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    close = get_close_matches(path.name, beside, n=1) or get_close_matches(str(path), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    if not path.suffix:
        hint += f" The datasets of the catalogue are {', '.join(names)}."
    raise DataError(f"There is no file {path}.{hint}")


def _start_of(content: Path | io.BytesIO) -> bytes:
    if isinstance(content, io.BytesIO):
        return content.getvalue()[:_SAMPLE]
    try:
        with content.open("rb") as file:
            return file.read(_SAMPLE)
    except OSError as error:
        raise DataError(f"Cannot read {content}: {error.strerror}.") from error


def _read_parquet(content: Path | io.BytesIO, shown: str) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(content)
    except (OSError, ValueError) as error:  # Arrow's errors are ValueErrors
        raise DataError(f"Cannot read {shown} as Parquet: {str(error).rstrip('.')}.") from error

"""Files that are either whole or absent, whatever kills the writer.

A rename is enough to survive `kill -9`; only a power cut can lose the last second.
"""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOSPC
from pathlib import Path
from typing import Any, BinaryIO

from pydantic_core import to_json

from automl.errors import DamagedFileError, WorkspaceError

__all__ = [
    "FORMAT_VERSION",
    "as_json",
    "check_format",
    "fill",
    "leftovers",
    "open_file",
    "parse_json",
    "read_bytes",
    "read_json",
    "write_bytes",
    "write_json",
    "write_text",
]

FORMAT_VERSION = 1
"""Version of every JSON and YAML file of ours. A reader refuses newer ones."""

_LARGEST = 2**28
"""Bytes of a record: the largest list thousands of names."""

_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
"""Names of files while they are written."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{threading.get_native_id()}.tmp")  # two threads may write the same file
    try:
        fill(temporary, content)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        advice = " Make room; 'automl resume' then continues the experiment." if error.errno == ENOSPC else ""
        raise WorkspaceError(f"Cannot write {path}: {error.strerror or error}.{advice}") from error


def fill(path: str | Path, content: bytes) -> None:
    """Write `content` to `path` in place, for a file that is not read yet: `open` costs three times as much."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write `value` as JSON, with the format version added."""
    write_bytes(path, as_json(value))


def as_json(value: dict[str, Any]) -> bytes:
    """`value` as JSON for people to read, with the format version added."""
    return to_json({"format_version": FORMAT_VERSION, **value}, indent=1, inf_nan_mode="constants")


def leftovers(folder: Path) -> list[Path]:
    """Files in `folder` that are being written by `write_bytes`, or were when their writer was killed."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [folder / name for name in sorted(names) if _TEMPORARY.fullmatch(name)]


def read_json(path: Path) -> dict[str, Any]:
    """The object in `path`.

    Raises:
        WorkspaceError: the file is missing, or was written by a newer automl.
        DamagedFileError: it is no JSON object.
    """
    return parse_json(read_bytes(path), path)


def parse_json(content: bytes, path: Path) -> dict[str, Any]:
    """The object that the `content` of `path` is. Raises what `read_json` raises."""
    try:
        value = json.loads(content)
    except ValueError as error:
        raise DamagedFileError(f"{path} is not valid JSON: {error}.") from error
    except RecursionError:
        raise DamagedFileError(f"{path} is not valid JSON: it is nested too deeply.") from None
    if not isinstance(value, dict):
        raise DamagedFileError(f"{path} holds no JSON object.")
    check_format(value, path)
    return value


def read_bytes(path: Path) -> bytes:
    """Return what a file of ours holds.

    Raises:
        WorkspaceError: it is missing, or cannot be read.
        DamagedFileError: something else is in its place (a folder, a pipe that would be waited for), or it is larger
            than any file of ours.
    """
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > _LARGEST:
            raise DamagedFileError(f"{path} is larger than any file that automl writes there.")
        return file.read()


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """A file of ours, to be read for the length of a `with` block.

    Raises:
        WorkspaceError: it is missing, or cannot be read.
        DamagedFileError: something else is in its place.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise DamagedFileError(f"{path} is not a file.")
            yield file
    except OSError as error:
        raise WorkspaceError(f"Cannot read {path}: {error.strerror or error}.") from error


def check_format(value: dict[str, Any], path: Path) -> None:
    """Refuse what a newer automl has written.

    Raises:
        WorkspaceError: the format version is newer than this one, or is not a number.
    """
    version = value.get("format_version", FORMAT_VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version > FORMAT_VERSION:
        raise WorkspaceError(
            f"{path} has format version {version}; this automl reads up to {FORMAT_VERSION}. Install a newer automl."
        )

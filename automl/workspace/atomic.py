"""Files that are either whole or absent, whatever kills the writer.

A rename is enough to survive `kill -9`; only a power cut can lose the last second.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from automl.errors import DamagedFileError, WorkspaceError

__all__ = [
    "FORMAT_VERSION",
    "as_json",
    "check_format",
    "leftovers",
    "read_json",
    "write_bytes",
    "write_json",
    "write_text",
]

FORMAT_VERSION = 1
"""Version of every JSON and YAML file of ours. A reader refuses newer ones."""

_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
"""How files are named while they are written."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        advice = " Make room; 'automl resume' then goes on with the experiment." if error.errno == ENOSPC else ""
        raise WorkspaceError(f"Cannot write {path}: {error.strerror or error}.{advice}") from error


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
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorkspaceError(f"Cannot read {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise DamagedFileError(f"{path} is no valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise DamagedFileError(f"{path} holds no JSON object.")
    check_format(value, path)
    return value


def check_format(value: dict[str, Any], path: Path) -> None:
    """Refuse what a newer automl has written.

    Raises:
        WorkspaceError: the format version is newer than this one, or is no number.
    """
    version = value.get("format_version", FORMAT_VERSION)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise WorkspaceError(
            f"{path} has format version {version}; this automl reads up to {FORMAT_VERSION}. Install a newer automl."
        )

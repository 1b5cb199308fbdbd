"""The outputs that a trial has left in its directory."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from automl.engine.trial.contract import OutputFile

__all__ = ["files_below", "list_outputs", "total_size"]


def list_outputs(folder: Path) -> tuple[OutputFile, ...]:
    """All files below `folder` with sizes and hashes, by path.

    A link is listed as the file it leads to, if that is below `folder` too, and else omitted. Files that cannot
    be read are left out.
    """
    found = []
    for path in sorted(files_below(str(folder))):
        try:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = os.fstat(file.fileno()).st_size
        except OSError:
            continue
        name = os.path.relpath(path, folder).replace(os.sep, "/")
        found.append(OutputFile(path=_printable(name), size=size, sha256=digest))
    return tuple(found)


def total_size(folder: Path) -> int:
    """Bytes of all files below `folder`; 0 if there is no such folder."""
    size = 0
    for path in files_below(str(folder)):
        with contextlib.suppress(OSError):
            size += os.path.getsize(path)
    return size


def files_below(folder: str, root: str | None = None) -> Iterator[str]:
    """Paths of all files below `folder`; links that lead out of it (or of `root`, which it is below) are omitted."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    root = root or os.path.realpath(folder)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(entry.path, root)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path
        elif entry.is_symlink() and entry.is_file():
            target = os.path.realpath(entry.path)
            if target.startswith(root + os.sep):
                yield entry.path


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")

"""Regular files only: a pipe, a device or a socket may wait for ever, or never end."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

__all__ = ["open_regular"]

_FLAGS = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
"""Those that the system has."""


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """A regular file, opened for reading; links are followed.

    It is looked at before it is opened, since opening a device may do something, and once more afterwards, since
    something else may be there by then; without waiting, as opening a pipe would.

    Raises:
        OSError: it is not there, may not be read, is a folder, or is not a regular file.
    """
    if "\0" in os.fspath(path):
        raise FileNotFoundError(errno.ENOENT, "no file has a zero byte in its name", os.fspath(path))
    _require_regular(os.stat(path).st_mode, path)
    descriptor = os.open(path, _FLAGS)
    try:
        _require_regular(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _require_regular(mode: int, path: str | os.PathLike[str]) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(Path(path)))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(Path(path)))

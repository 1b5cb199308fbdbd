"""The output of a trial: ``logs/stdout.txt``, made only if something was printed.

On a journalling file system a folder and a file cost half a millisecond, more than the rest of a trial's overhead.
So a worker process writes to one hidden file beside the trials' directories, its spool, and renames it into the
trial's logs at the end of a trial that printed something, or as soon as the trial has run for a moment. The file
descriptors keep writing to the same file. If the worker is killed, the process that finds it dead does the renaming.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TextIO

__all__ = ["Capture", "Spool", "no_capture", "rescue_spool", "tee"]

Capture = Callable[[Path], AbstractContextManager[None]]
"""Takes a trial's directory; while its context is open, what the trial prints goes there."""

_SHORT = 0.2
"""Seconds after which a running trial's output is moved to its directory, for people who want to follow it."""


@contextmanager
def no_capture(directory: Path) -> Iterator[None]:
    """Leave the output where it goes."""
    yield


def rescue_spool(directory: Path, mark: str, *, keep: bool = True) -> None:
    """Move what a dead worker had printed into the directory of the trial that it ran; else remove it."""
    path = _spool_path(directory, mark)
    with contextlib.suppress(OSError):
        if keep and path.stat().st_size:
            _move(path, directory)
        else:
            path.unlink()


def _spool_path(directory: Path, mark: str) -> Path:
    return directory.parent / f".stdout-{mark}"


def _move(path: Path, directory: Path) -> None:
    (directory / "logs").mkdir(exist_ok=True)
    os.replace(path, directory / "logs" / "stdout.txt")


class Spool:
    """Takes over file descriptors 1 and 2 of this process, for trials that run one after the other.

    Args:
        mark: distinguishes this worker from others.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._path: Path | None = None  # of the open spool, None once it was renamed away
        self._trial: Path | None = None
        self._began = 0.0
        self._lock = threading.Lock()
        self._libc = ctypes.CDLL(None) if os.name == "posix" else None
        sys.stdout, sys.stderr = _unbuffered(1), _unbuffered(2)

    @contextmanager
    def capture(self, directory: Path) -> Iterator[None]:
        """Send everything that the process prints to the trial's ``logs/stdout.txt``."""
        with self._lock:
            self._open(directory)
            self._trial, self._began = directory, time.monotonic()
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            if self._libc is not None:
                self._libc.fflush(None)
            with self._lock:
                if os.fstat(1).st_size:
                    self._move_to_trial()
                self._trial = None

    def flush_long(self) -> None:
        """Give a trial that has run for a while its file. Called from time to time by another thread."""
        with self._lock:
            if self._trial is not None and time.monotonic() - self._began > _SHORT:
                self._move_to_trial()

    def _move_to_trial(self) -> None:
        if self._path is not None and self._trial is not None:
            with contextlib.suppress(OSError):
                _move(self._path, self._trial)
                self._path = None

    def _open(self, directory: Path) -> None:
        if os.name != "posix":  # an open file cannot be renamed there
            (directory / "logs").mkdir(exist_ok=True)
            self._point_at(directory / "logs" / "stdout.txt")
            return
        path = _spool_path(directory, self._mark)
        if self._path == path:
            if os.fstat(1).st_size:  # printed between two trials
                os.ftruncate(1, 0)
            return
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._point_at(path)
        self._path = path

    def _point_at(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o644)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)


def _unbuffered(descriptor: int) -> TextIO:
    """A text stream that keeps nothing back, so a kill loses nothing."""
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)


@contextmanager
def tee(directory: Path) -> Iterator[None]:
    """Copy what the current thread prints through `sys.stdout` and `sys.stderr` to the trial's log.

    The output still goes where it went before as well (a debugger needs that), and other threads are left alone.
    """
    outer = sys.stdout, sys.stderr
    log = _LazyLog(directory)
    sys.stdout, sys.stderr = _Tee(outer[0], log), _Tee(outer[1], log)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = outer
        log.close()


class _LazyLog:
    def __init__(self, directory: Path) -> None:
        self._logs = directory / "logs"
        self._file: TextIO | None = None

    def write(self, text: str) -> None:
        if self._file is None:
            self._logs.mkdir(parents=True, exist_ok=True)
            self._file = (self._logs / "stdout.txt").open("a", encoding="utf-8", errors="backslashreplace")
        self._file.write(text)
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _Tee:
    def __init__(self, stream: TextIO, log: _LazyLog) -> None:
        self._stream, self._log, self._thread = stream, log, threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() == self._thread:
            with contextlib.suppress(OSError, ValueError):
                self._log.write(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

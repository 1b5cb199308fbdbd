"""Turns at writing: what is written to MLflow can be repeated, but not at the same time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError
from automl.registry.places import ModelDirectory

__all__ = ["is_wanted", "sole_follower", "sole_mirror"]

_BUSY = 120.0
"""Seconds to wait for another process that brings versions of the same name to MLflow."""


@contextmanager
def sole_mirror(directory: ExperimentDirectory, *, patience: float) -> Iterator[None]:
    """One mirror per experiment: what it writes is idempotent in turn, not at the same time.

    Raises:
        WorkspaceError: another process takes longer than `patience` seconds.
    """
    lock = FileLock(directory.mirror_lock)
    try:
        _acquire(lock, directory, patience)
    except Timeout:
        raise WorkspaceError(f"Another process is mirroring {directory.path}; wait for it.") from None
    except OSError as error:
        raise WorkspaceError(f"Cannot lock {directory.path}: {error.strerror}.") from error
    try:
        _wanted(directory).unlink(missing_ok=True)  # of one that was killed while it waited
        shutil.rmtree(directory.mirror_scratch, ignore_errors=True)
        yield
    finally:
        shutil.rmtree(directory.mirror_scratch, ignore_errors=True)
        lock.release()


def is_wanted(directory: ExperimentDirectory) -> bool:
    """Tell whether a search waits for its turn to mirror its experiment, and the process that has it should let go."""
    return _wanted(directory).exists()


def _acquire(lock: FileLock, directory: ExperimentDirectory, patience: float) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if patience <= 0:
            raise
        _wanted(directory).touch()
        try:
            lock.acquire(timeout=patience)
        finally:
            _wanted(directory).unlink(missing_ok=True)


def _wanted(directory: ExperimentDirectory) -> Path:
    return directory.path / ".mirror.wanted"


@contextmanager
def sole_follower(model: ModelDirectory) -> Iterator[None]:
    """One process at a time brings versions of a name; what those that were killed have left is removed."""
    with FileLock(model.follower_lock, timeout=_BUSY):
        for path in model.follower_scratch():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        yield

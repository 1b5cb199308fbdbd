"""One driver per experiment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError

__all__ = ["is_held", "is_locked", "locked"]


@contextmanager
def locked(experiment: ExperimentDirectory) -> Iterator[None]:
    """Hold the experiment's lock. The system drops it when the holder dies, however it dies.

    Raises:
        WorkspaceError: another process runs this experiment.
    """
    lock = FileLock(experiment.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WorkspaceError(
            f"Another process is running {experiment.path}. Wait for it, or stop it with "
            f"'automl runs cancel {experiment.id}'."
        ) from None
    except OSError as error:
        raise WorkspaceError(f"Cannot lock {experiment.path}: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


def is_locked(experiment: ExperimentDirectory) -> bool:
    """True while some process runs this experiment."""
    return is_held(experiment.lock)


def is_held(file: Path) -> bool:
    """True while some process holds the lock `file`."""
    if not file.exists():
        return False
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    lock.release()
    return False

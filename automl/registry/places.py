"""The places of registered models: ``<workspace>/registry/NAME/versions/N``, whole or absent, and ``champion.json``.

Every path in a record is relative: a workspace can be moved.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from automl.engine.workspace.atomic import leftovers
from automl.engine.workspace.layout import Workspace
from automl.engine.workspace.lock import is_held
from automl.errors import DamagedFileError, RegistryError, WorkspaceError
from automl.registry.names import folder_name
from automl.registry.record import Followed, Pointer, Registration, read_record

__all__ = ["ModelDirectory", "VersionDirectory", "all_models", "find_model"]

log = logging.getLogger("automl")

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_PATIENCE = 60.0  # seconds to wait for another registration of the same name


@dataclass(frozen=True)
class VersionDirectory:
    """One version."""

    path: Path

    @property
    def number(self) -> int:
        return int(self.path.name)

    @property
    def record(self) -> Path:
        return self.path / "registration.json"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def note(self) -> Path:
        """The note on what MLflow has of it."""
        return self.path / "mlflow.json"

    def read(self) -> Registration:
        """Its record.

        Raises:
            DamagedFileError: it cannot be read.
            WorkspaceError: it was written by a newer automl.
        """
        if not self.record.exists():
            raise DamagedFileError(f"{self.record} is missing.")
        return read_record(Registration, self.record)

    def followed(self) -> Followed | None:
        """Read what MLflow has of it; None if nothing is known. A damaged note is forgotten: MLflow is asked again."""
        try:
            return read_record(Followed, self.note) if self.note.exists() else None
        except DamagedFileError:
            return None


@dataclass(frozen=True)
class ModelDirectory:
    """All versions of one name."""

    path: Path

    @property
    def versions(self) -> Path:
        return self.path / "versions"

    @property
    def champion(self) -> Path:
        return self.path / "champion.json"

    @property
    def lock(self) -> Path:
        return self.path / ".lock"

    @property
    def follower_lock(self) -> Path:
        """Held by the process that brings versions to MLflow."""
        return self.path / ".mlflow.lock"

    def version(self, number: int) -> VersionDirectory:
        return VersionDirectory(self.versions / str(number))

    def numbers(self) -> list[int]:
        """Of all versions that have a folder, ascending.

        Raises:
            RegistryError: the folder of all versions cannot be read.
        """
        return sorted(int(name) for name in _entries(self.versions) if _NUMBER.fullmatch(name))

    def records(self) -> Iterator[tuple[VersionDirectory, Registration]]:
        """Every version that can be read, ascending. One that is damaged is named in the log."""
        for number in self.numbers():
            version = self.version(number)
            try:
                yield version, version.read()
            except WorkspaceError as error:
                log.warning("a registered version is left out: %s", error)

    def pointer(self) -> Pointer | None:
        """The champion; None if there is none.

        Raises:
            DamagedFileError: which one it is cannot be read.
        """
        return read_record(Pointer, self.champion) if self.champion.exists() else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Register and promote one at a time. What others that were killed have left is removed.

        Raises:
            RegistryError: another process holds the name for too long, or the folder cannot be written to.
        """
        try:
            self.versions.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.lock)
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise RegistryError(f"Another process has been registering in {self.path} for {_PATIENCE:g} s.") from None
        except OSError as error:
            raise RegistryError(f"Cannot write to {self.path}: {error.strerror or error}.") from error
        try:
            for path in self.scratch():
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def scratch(self) -> list[Path]:
        """List what a registration is writing; while `lock` is free, what was killed."""
        return [*leftovers(self.path), *leftovers(self.versions)]

    def follower_scratch(self) -> list[Path]:
        """List what is being written for MLflow; while `follower_lock` is free, what was killed."""
        return [path for number in self.numbers() for path in leftovers(self.version(number).path)]

    def abandoned(self) -> list[Path]:
        """List what is no longer being written."""
        found = [] if is_held(self.lock) else self.scratch()
        return found if is_held(self.follower_lock) else [*found, *self.follower_scratch()]


def all_models(workspace: Workspace) -> list[ModelDirectory]:
    """Every name that has a version, or has begun to get one, in the order of their folders.

    Raises:
        RegistryError: the registry cannot be read.
    """
    found = (ModelDirectory(workspace.registry / entry) for entry in sorted(_entries(workspace.registry)))
    return [model for model in found if model.versions.exists()]


def find_model(workspace: Workspace, name: str) -> ModelDirectory:
    """Return the directory that versions of `name` are in, or would be in."""
    return ModelDirectory(workspace.registry / folder_name(name))


def _entries(folder: Path) -> list[str]:
    """Names in a folder; none where there is no folder."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RegistryError(f"Cannot read {folder}: {error.strerror or error}.") from error

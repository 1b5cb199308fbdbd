"""The sqlite database of a workspace: made once, whole, and never by two at once.

MLflow creates a database in 2 to 5 s, by running every migration it ever had. Copying one that was migrated before
takes a tenth: the first experiment of a user leaves one in the cache directory, one per MLflow version.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from filelock import FileLock

from automl.engine.workspace.caches import user_cache
from automl.errors import RegistryError

__all__ = ["checkpoint", "ensure_database", "relax_sqlite", "sqlite_path"]

_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smbfs", "smb3", "afs", "lustre", "ceph", "glusterfs", "9p", "beegfs"}


def sqlite_path(uri: str) -> Path | None:
    """The file of a ``sqlite:///`` URI; None for any other URI, and for a database in memory."""
    text = uri.removeprefix("sqlite:///")
    return None if text == uri or not text or text.startswith(":memory:") or "?" in text else Path(text)


def ensure_database(path: Path) -> None:
    """Make sure that an MLflow database exists at `path`. Several processes may call this at once.

    Raises:
        RegistryError: the folder cannot be written to.
    """
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if path.exists():
                return
            shutil.copyfile(_template(), temporary)
            _set_journal(temporary)
            os.replace(temporary, path)
    except OSError as error:
        raise RegistryError(f"Cannot create the tracking database {path}: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def checkpoint(path: Path) -> None:
    """Move the content of the write-ahead log into the database, so that the one file is all there is to copy."""
    if path.exists():
        connection = sqlite3.connect(path, timeout=1.0)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError:
            pass  # another process is writing; the last one to close does it
        finally:
            connection.close()


def relax_sqlite() -> None:
    """One fsync per checkpoint, not per commit: in write-ahead mode a power cut loses the last runs, never the file.

    ``synchronous=OFF`` would be a tenth faster and could damage the file, which holds the registry too.
    """
    from sqlalchemy import Engine, event

    @event.listens_for(Engine, "connect")
    def relax(connection: Any, _record: Any) -> None:
        if type(connection).__module__.startswith("sqlite3"):
            connection.execute("PRAGMA synchronous=NORMAL")


def _template() -> Path:
    """A migrated, empty database of the installed MLflow version."""
    import mlflow

    folder = _cache_directory()
    template = folder / f"mlflow-{mlflow.__version__}.db"
    if template.exists():
        return template
    with FileLock(folder / f".{template.name}.lock"):
        if not template.exists():
            temporary = folder / f".{template.name}.{os.getpid()}.tmp"
            temporary.unlink(missing_ok=True)
            _migrate(temporary)
            os.replace(temporary, template)
    return template


def _migrate(path: Path) -> None:
    # What `mlflow db upgrade` calls: tables only, and no default experiment with the path of this machine in it.
    from mlflow.db import upgrade

    assert upgrade.callback is not None
    upgrade.callback(url=f"sqlite:///{path}")


def _cache_directory() -> Path:
    """``automl`` in the user's cache directory; the temporary directory of this user where that cannot be written."""
    folder = user_cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # no home, as in many containers
    import tempfile

    return Path(tempfile.mkdtemp(prefix="automl-"))


def _set_journal(path: Path) -> None:
    """Write-ahead logging: twice the runs per second, and readers (the MLflow UI) do not wait for the writer.

    The mode is kept in the file. It needs shared memory, which network file systems do not give.
    """
    if not _on_network(path):
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()


def _on_network(path: Path) -> bool:
    import psutil

    place = path.resolve()
    mounts = [m for m in psutil.disk_partitions(all=True) if place.is_relative_to(m.mountpoint)]
    if not mounts:
        return False
    kind = max(mounts, key=lambda mount: len(mount.mountpoint)).fstype.lower()
    return kind in _NETWORK_FILE_SYSTEMS or kind.startswith("fuse.")

"""The study journal: what was proposed and in which order, durable, in Optuna's own format.

Optuna's file backend locks, opens, syncs and closes at each of about nine operations of a trial. Here one process is
the only writer (it holds the experiment's lock), so operations are gathered and `commit` writes them at once. The
stock backend, and so optuna-dashboard, opens the same file.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend
from pydantic_core import from_json, to_json

from automl.errors import JournalError, WorkspaceError

__all__ = ["GroupCommitBackend"]

_SYNC_SECONDS = 1.0
"""A power cut may lose the last second; a killed process loses nothing that was committed."""


class GroupCommitBackend(BaseJournalBackend):
    """Journal of a single writer.

    Args:
        path: the journal's file, created if missing. A torn last line, which a kill in the middle of a write can
            leave, is cut off first.

    Raises:
        WorkspaceError: the file cannot be opened.
        JournalError: a line other than the last is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[bytes] = []
        self._count = 0
        self._synced = time.monotonic()
        try:
            _cut_torn_tail(path)
            self._unread: list[dict[str, Any]] = list(_read(path)) if path.exists() else []
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise WorkspaceError(f"Cannot open the study journal {path}: {error.strerror}.") from error

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Records that the storage has not seen yet; each is handed out once."""
        unread, self._unread = self._unread, []
        self._count += len(unread)
        if log_number_from + len(unread) != self._count:
            raise JournalError(f"{self.path} is read by more than one storage.")
        return iter(unread)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        for log in logs:
            line = to_json(log, inf_nan_mode="constants")
            self._pending.append(line)
            # Through JSON, so that what is in memory equals what a resumed search will read.
            self._unread.append(from_json(line))

    def append(self, log: Mapping[str, Any]) -> None:
        """Add a record that the storage knows: it does not read it again."""
        self._pending.append(to_json(log, inf_nan_mode="constants"))
        self._count += 1

    def commit(self) -> None:
        """Make everything so far survive a kill of this process: one write, whole or not at all.

        Raises:
            WorkspaceError: the disk is full, or the file cannot be written to.
        """
        if not self._pending:
            return
        try:
            _append(self._file.fileno(), b"\n".join((*self._pending, b"")))
            self._pending.clear()
            now = time.monotonic()
            if now - self._synced >= _SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = now
        except OSError as error:
            raise WorkspaceError(
                f"Cannot write the study journal {self.path}: {error.strerror}. Everything told so far is kept: "
                f"make room, then run 'automl resume {self.path.parent}'."
            ) from error

    def close(self) -> None:
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()


def _append(descriptor: int, content: bytes) -> None:
    """Write all of it, or leave the file unchanged: what a full disk has cut off would spoil all that follows."""
    size, view = os.fstat(descriptor).st_size, memoryview(content)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _cut_torn_tail(path: Path) -> None:
    """Drop a last line without its newline: with it Optuna fails at the next write, and for good after that."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b"\n":
            return
        file.truncate(_after_last_newline(file.seek(0, os.SEEK_END), path))


def _after_last_newline(size: int, path: Path) -> int:
    block = 1 << 16
    with open(path, "rb") as file:
        for start in range((size - 1) // block * block, -1, -block):
            file.seek(start)
            found = file.read(block).rfind(b"\n")
            if found >= 0:
                return start + found + 1
    return 0


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise JournalError(
                    f"{path}:{number}: the study journal is damaged here, and no kill leaves a whole line like that. "
                    "Restore it from a backup, or start a new experiment."
                ) from error

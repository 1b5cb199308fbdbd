"""The mirror's process: ``python -m automl.tracking.mirror``.

Without arguments it serves a driver over its standard input and output (see `automl.tracking.client`). With an
experiment's directory it brings everything that MLflow lacks there, and ends.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from automl.errors import AutomlError, WorkspaceError
from automl.registry.store import describe, hush, quiet, redacted, resolve_uri
from automl.tracking.ending import read_ending
from automl.tracking.lines import Inbox, decode, encode
from automl.tracking.runs import ExperimentRuns
from automl.tracking.serve import MirrorProcess
from automl.workspace.layout import ExperimentDirectory, Workspace

__all__ = ["main", "rebuild"]

_ORPHANED = 2.0  # seconds that a mirror without a driver may take to come to its end
_LOCK_PATIENCE = _ORPHANED + 5.0


def rebuild(directory: ExperimentDirectory, uri: str) -> int:
    """Mirror all that MLflow lacks of an experiment, in this process. Nothing is written twice.

    Args:
        directory: the experiment; nobody else may be mirroring it.
        uri: the MLflow store.

    Returns:
        Number of trials that are in MLflow afterwards.

    Raises:
        WorkspaceError: the experiment has a mirror at present.
        RegistryError: the store cannot be opened.
    """
    with _sole_mirror(directory, patience=0.0):
        runs = ExperimentRuns(directory, uri)
        for number in runs.missing():
            runs.mirror(number)
        if (ending := read_ending(directory)) is not None:
            runs.end(ending)
        runs.checkpoint()
        return runs.mirrored


class _sole_mirror:  # noqa: N801 - a context manager, used like a function
    """One mirror per experiment: what it writes is idempotent in turn, not at the same time."""

    def __init__(self, directory: ExperimentDirectory, *, patience: float) -> None:
        self._directory, self._patience = directory, patience
        self._lock = FileLock(directory.path / ".mirror.lock")

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=self._patience)
        except Timeout:
            raise WorkspaceError(f"Another process is mirroring {self._directory.path}; wait for it.") from None
        except OSError as error:
            raise WorkspaceError(f"Cannot lock {self._directory.path}: {error.strerror}.") from error

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _serve() -> None:
    answers = _take_stdout()
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock:
            try:
                answers.write(encode(message))
            except OSError:
                os._exit(1)  # nobody listens

    start = decode(sys.stdin.buffer.readline())
    if not start:
        return
    directory = ExperimentDirectory(Path(start["directory"]))
    inbox = Inbox(sys.stdin.buffer, _leave_soon)
    try:
        with _sole_mirror(directory, patience=_LOCK_PATIENCE):
            _relax_sqlite()
            MirrorProcess(directory, start["uri"], start.get("imports", ()), inbox, send).run()
    except Exception as error:
        send({"trouble": f"the mirror has ended: {type(error).__name__}: {describe(error)}"})
        raise
    os._exit(0)  # no time for atexit handlers of libraries: everything is written


def _take_stdout() -> BinaryIO:
    """Standard output for answers alone: whatever a library prints goes to standard error."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "wb", buffering=0)


def _leave_soon() -> None:
    """The driver is gone: a call that hangs must not keep this process."""
    timer = threading.Timer(_ORPHANED, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _relax_sqlite() -> None:
    """One fsync per checkpoint and not per commit: in write-ahead mode a power cut loses the last runs, never the file.

    ``synchronous=OFF`` would be a tenth faster and could damage the file, which holds the registry too.
    """
    from sqlalchemy import Engine, event

    @event.listens_for(Engine, "connect")
    def relax(connection: Any, _record: Any) -> None:
        if type(connection).__module__.startswith("sqlite3"):
            connection.execute("PRAGMA synchronous=NORMAL")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(prog="python -m automl.tracking.mirror", description=__doc__)
    parser.add_argument("directory", nargs="?", help="an experiment whose runs MLflow lacks")
    parser.add_argument("--uri", help="MLflow tracking URI; default: sqlite in the workspace")
    given = parser.parse_args(arguments)
    hush()
    if given.directory is None:
        _serve()
        return 0
    try:
        directory = Workspace.find().experiment(given.directory)
        uri = resolve_uri(given.uri, directory.workspace)
        with quiet():
            count = rebuild(directory, uri)
    except AutomlError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{count} trials of {directory.path} are in {redacted(uri)}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

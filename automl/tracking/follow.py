"""The follower: ``python -m automl.tracking.follow WORKSPACE`` brings to MLflow what it is owed, and ends.

It runs detached, after a search has returned or beside any command. Whatever it is killed in the middle of can be done
again. One per workspace; it gives an experiment up to the mirror of a search that continues it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import AutomlError
from automl.redact import RedactingFormatter, one_line
from automl.tracking.catch_up import catch_up, is_final
from automl.tracking.database import relax_sqlite
from automl.tracking.owed import Mark, owed
from automl.tracking.runs import ExperimentRuns
from automl.tracking.store import hush, quiet, redacted, resolve_uri, why
from automl.tracking.turn import is_wanted, sole_mirror

__all__ = ["follow", "main"]

log = logging.getLogger("automl")

_LIFETIME = 1800.0
"""Seconds after which it ends, whatever it waits for: the next command starts another one."""
_PAUSES = (2.0, 10.0, 30.0)
"""Seconds between attempts at what cannot be reached."""
_NICE = 5
"""The degree to which it yields to whatever else the machine does."""


def follow(workspace: Workspace) -> bool:
    """Bring everything that MLflow is owed. False if something could not be brought."""
    for pause in (*_PAUSES, None):
        left = _one_round(workspace)
        if not left:
            return True
        if pause is None:
            break
        time.sleep(pause)
    return False


def _one_round(workspace: Workspace) -> list[ExperimentDirectory]:
    """Follow each experiment once; return those still owed. A store that cannot be reached is not asked again."""
    down: set[str | None] = set()
    left = []
    for directory in owed(workspace):
        mark = Mark(directory)
        if mark.uri in down or not _bring(mark, down):
            left.append(directory)
    return left


def _bring(mark: Mark, down: set[str | None]) -> bool:
    directory = mark.directory
    try:
        uri = resolve_uri(mark.uri, directory.workspace)
        with sole_mirror(directory, patience=0.0), quiet():
            complete = _catch_up(directory, ExperimentRuns(directory, uri), trials=mark.trials)
        if complete:
            mark.clear()
            log.info("%s is in MLflow at %s", directory.key, redacted(uri))
        return complete
    except AutomlError as error:  # its own mirror is doing it, or something is damaged
        log.warning("%s: %s", directory.key, error)
    except Exception as error:  # MLflow, its HTTP client, a database driver
        log.warning("%s: MLflow cannot be written to: %s", directory.key, why(error))
        down.add(mark.uri)
    mark.tried()
    return False


def _catch_up(directory: ExperimentDirectory, runs: ExperimentRuns, *, trials: bool) -> bool:
    def mirror(number: int) -> bool:
        try:
            runs.mirror(number)
        except Exception as error:  # as above
            if not is_final(error):
                raise
            log.warning("%s: trial %d cannot be written: %s", directory.key, number, one_line(error))
        return not is_wanted(directory)

    return catch_up(directory, runs, trials=trials, mirror=mirror)


def main(root: str) -> int:
    """Entry point of the process. Its exit status is 1 if something is still owed."""
    workspace = Workspace(Path(root))
    watchdog = threading.Timer(_LIFETIME, os._exit, (1,))
    watchdog.daemon = True
    watchdog.start()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    _log_plainly()
    hush()
    try:
        with FileLock(workspace.owed / ".lock", timeout=0):
            relax_sqlite()
            return 0 if follow(workspace) else 1
    except Timeout:
        return 0  # another one is at it


def _log_plainly() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)


if __name__ == "__main__":
    os._exit(main(sys.argv[1]))  # no time for atexit handlers of libraries: everything is written

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

from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import AutomlError
from automl.redact import one_line
from automl.tracking.catch_up import rebuild
from automl.tracking.database import relax_sqlite
from automl.tracking.lines import Inbox, decode, encode
from automl.tracking.serve import MirrorProcess
from automl.tracking.store import hush, quiet, redacted, resolve_uri
from automl.tracking.turn import sole_mirror

__all__ = ["main"]

_ORPHANED = 2.0  # seconds that a mirror without a driver may take to reach its end
_LOCK_PATIENCE = 60.0  # seconds for a follower, which leaves an experiment that is run again, to end its last call


def _serve() -> None:
    answers = _take_stdout()
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock:
            try:
                answers.write(encode(message))
            except OSError:
                os._exit(1)  # it has no listener

    start = decode(sys.stdin.buffer.readline())
    if not start:
        return
    directory = ExperimentDirectory(Path(start["directory"]))
    inbox = Inbox(sys.stdin.buffer, _leave_soon)
    try:
        with sole_mirror(directory, patience=_LOCK_PATIENCE):
            relax_sqlite()
            MirrorProcess(directory, start["uri"], start["imports"], inbox, send, trials=bool(start["trials"])).run()
    except Exception as error:
        send({"trouble": f"the mirror has ended: {type(error).__name__}: {one_line(error)}"})
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

"""The command line: one thin command per file, each of which calls `automl.api`."""

from __future__ import annotations

import sys
from functools import partial

from automl.cli.budget import clock_of
from automl.engine.execution.bytecode import keep_bytecode
from automl.start import watch_start

__all__ = ["main"]


def main() -> None:
    """The console script."""
    try:
        watch_start(partial(clock_of, sys.argv[1:]))
        keep_bytecode()  # before anything large is imported
        from automl.cli.console import leave, run

        status = run()
    except KeyboardInterrupt:  # while that is imported, which takes seconds on a busy machine
        print("automl: cancelled", file=sys.stderr)
        sys.exit(130)
    leave(status)

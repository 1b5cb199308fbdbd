"""The command line: one thin command per file, each of which calls `automl.api`."""

from __future__ import annotations

import sys
from functools import partial

from automl.cli.budget import clock_of
from automl.execution.bytecode import keep_bytecode
from automl.start import watch_start

__all__ = ["main"]


def main() -> None:
    """The console script."""
    watch_start(partial(clock_of, sys.argv[1:]))
    keep_bytecode()  # before anything large is imported
    from automl.cli.console import leave, run

    leave(run())

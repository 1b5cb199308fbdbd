"""The command line: one thin command per file, each of which calls `automl.api`."""

from __future__ import annotations

from automl.execution.bytecode import keep_bytecode

__all__ = ["main"]


def main() -> None:
    """The console script."""
    keep_bytecode()  # before anything large is imported
    from automl.cli.console import run

    run()

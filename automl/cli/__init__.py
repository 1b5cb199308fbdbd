"""The command line: one thin command per file, each of which calls `automl.api`."""

from __future__ import annotations

from automl.cli.main import main

__all__ = ["main"]

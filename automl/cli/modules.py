"""The place where a trusted file's own modules are found."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Trust", "find_modules"]

Trust = Annotated[
    bool,
    typer.Option("--trust", help="Let the file name any class, including yours, any argument, and any host."),
]


def find_modules(trust: bool, *files: Path) -> None:
    """With `trust`, let modules be imported that are beside `files` or in the current folder, after all others.

    A console script has neither on its path. Workers are given the path of the process that starts them.
    """
    if trust:
        folders = [*(str(file.expanduser().resolve().parent) for file in files), os.getcwd()]
        sys.path += [folder for folder in dict.fromkeys(folders) if folder not in sys.path]

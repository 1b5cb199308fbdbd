"""Files that are written by somebody else's code, and are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from automl.errors import WorkspaceError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_parquet", "replacing", "write_parquet"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write to, which becomes `path` when it is whole.

    Raises:
        WorkspaceError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WorkspaceError(f"Cannot write {path}: {error.strerror or error}.") from error


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame without its index.

    Raises:
        WorkspaceError: it cannot be written.
    """
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)


def read_parquet(path: Path) -> pd.DataFrame:
    """The frame in a file.

    Raises:
        WorkspaceError: it cannot be read.
    """
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"Cannot read {path}: {error}.") from error

"""Tables on disk: what a resumed experiment needs when the data came from memory, and how it knows changed data.

Features are in Parquet; pictures in an array, which is mapped into memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.engine.workspace.atomic import read_json, write_json
from automl.errors import DataError, WorkspaceError
from automl.learning.data.fingerprint import fingerprint
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.data.kinds import Column, ColumnKind, ImageColumn
from automl.learning.data.table import ROLES, Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from automl.learning.data.table import Features

__all__ = ["check_unchanged", "has_copy", "load_saved", "save_summary", "save_table"]

_SUMMARY, _ROWS, _TEST = "table.json", "rows.parquet", "test"
_FEATURES, _IMAGES = "features.parquet", "images.npy"
_TARGET = "y"


def save_table(table: Table, directory: Path) -> None:
    """Write a table, test rows included: Parquet or an array of pixels, and table.json.

    Raises:
        WorkspaceError: the directory cannot be written to.
    """
    import pandas as pd

    from automl.learning.data.images.images import Images

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"Cannot write {directory}: {error.strerror}.") from error
    if isinstance(table.X, Images):
        _write_pixels(table.X.pixels, directory / _IMAGES)
    else:
        _write_parquet(table.X, directory / _FEATURES)
    rows = {_TARGET: table.y, **table.roles()}
    _write_parquet(pd.DataFrame({name: _column(values) for name, values in rows.items()}), directory / _ROWS)
    if table.test is not None:
        save_table(table.test, directory / _TEST)
    save_summary(table, directory)  # last: with it the copy is complete


def _column(values: np.ndarray) -> pd.Series:
    import pandas as pd

    return pd.Series(values, dtype="str" if values.dtype == object else None)


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    with _replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)


def _write_pixels(pixels: np.ndarray, path: Path) -> None:
    import numpy as np

    with _replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, pixels, allow_pickle=False)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file to write to, which becomes `path` when it is whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WorkspaceError(f"Cannot write {path}: {error.strerror or error}.") from error


def has_copy(directory: Path) -> bool:
    """Tell whether `save_table` has begun to write a copy there."""
    return (directory / _FEATURES).exists() or (directory / _IMAGES).exists()


def save_summary(table: Table, directory: Path) -> None:
    """Write table.json alone: target, columns, guardrails, fingerprint. Enough for data that is in a file."""
    write_json(
        directory / _SUMMARY,
        {
            "name": table.name,
            "target": table.target,
            "fingerprint": table.fingerprint,
            "test_fingerprint": None if table.test is None else table.test.fingerprint,
            "rows": table.n_rows,
            "roles": list(table.roles()),
            "columns": [asdict(column) for column in table.columns],
            "guardrails": [asdict(guardrail) for guardrail in table.guardrails],
        },
    )


def load_saved(directory: Path) -> Table:
    """The table that `save_table` wrote.

    Raises:
        WorkspaceError: files are missing or damaged, or were written by a newer automl.
        DataError: the content is not what was saved.
    """
    summary = read_json(directory / _SUMMARY)
    X, rows = _read_features(directory), _read_parquet(directory / _ROWS)
    try:
        table = _from_summary(summary, X, {str(name): _values(column) for name, column in rows.items()})
    except (KeyError, TypeError, ValueError) as error:
        raise WorkspaceError(f"{directory / _SUMMARY} is damaged: {error!r}.") from error
    if summary["test_fingerprint"] is not None:
        table = replace(table, test=load_saved(directory / _TEST))
    if fingerprint(table) != table.fingerprint:
        raise DataError(f"The copy of the data in {directory} is not what was saved; the experiment cannot continue.")
    return table


def _read_features(directory: Path) -> Features:
    import numpy as np

    from automl.learning.data.images.images import Images

    path = directory / _IMAGES
    if not path.exists():
        return _read_parquet(directory / _FEATURES)
    try:
        return Images(np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray))
    except (OSError, ValueError, EOFError) as error:
        raise WorkspaceError(f"Cannot read {path}: {error}.") from error


def _from_summary(summary: Mapping[str, Any], X: Features, rows: Mapping[str, np.ndarray]) -> Table:
    return Table(
        name=summary["name"],
        X=X,
        y=rows[_TARGET],
        target=summary["target"],
        columns=tuple(map(_column_from, summary["columns"])),
        fingerprint=summary["fingerprint"],
        guardrails=tuple(
            Guardrail(g["name"], Verdict(g["verdict"]), g["message"], tuple(g["columns"]))
            for g in summary["guardrails"]
        ),
    ).with_roles({role: rows[role] for role in ROLES if role in summary["roles"]})


def _column_from(values: Mapping[str, Any]) -> Column:
    kind = ColumnKind(values["kind"])
    return (ImageColumn if kind is ColumnKind.IMAGE else Column)(**{**values, "kind": kind})


def _values(column: pd.Series) -> np.ndarray:
    import numpy as np

    return column.to_numpy(dtype=object) if column.dtype.name == "str" else np.array(column)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"Cannot read {path}: {error}.") from error


def check_unchanged(table: Table, directory: Path) -> None:
    """Compare a table that was read again with the one an experiment began with.

    Raises:
        DataError: the data has changed since.
    """
    summary = read_json(directory / _SUMMARY)
    before = (summary.get("fingerprint"), summary.get("test_fingerprint"))
    now = (table.fingerprint, None if table.test is None else table.test.fingerprint)
    if before == now:
        return
    which = "data" if before[0] != now[0] else "test data"
    raise DataError(
        f"The {which} of this experiment has changed since it began ({summary.get('rows')} rows then, "
        f"{table.n_rows} now). Restore it, or start a new experiment."
    )

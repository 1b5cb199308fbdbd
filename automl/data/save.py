"""Tables on disk: what a resumed experiment needs when the data came from memory, and how it knows changed data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.data.fingerprint import fingerprint
from automl.data.guardrails import Guardrail, Verdict
from automl.data.kinds import Column, ColumnKind
from automl.data.table import ROLES, Table
from automl.errors import DataError, WorkspaceError
from automl.workspace.atomic import read_json, write_json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["check_unchanged", "load_saved", "save_summary", "save_table"]

_SUMMARY, _FEATURES, _ROWS, _TEST = "table.json", "features.parquet", "rows.parquet", "test"
_TARGET = "y"


def save_table(table: Table, directory: Path) -> None:
    """Write a table, test rows included: Parquet and table.json.

    Raises:
        WorkspaceError: the directory cannot be written to.
    """
    import pandas as pd

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"Cannot write {directory}: {error.strerror}.") from error
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
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        frame.to_parquet(temporary, index=False)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WorkspaceError(f"Cannot write {path}: {error.strerror or error}.") from error


def save_summary(table: Table, directory: Path) -> None:
    """Write table.json alone: target, columns, guardrails, fingerprint. Enough for data that lies in a file."""
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
    X, rows = _read_parquet(directory / _FEATURES), _read_parquet(directory / _ROWS)
    try:
        table = _from_summary(summary, X, {str(name): _values(column) for name, column in rows.items()})
    except (KeyError, TypeError, ValueError) as error:
        raise WorkspaceError(f"{directory / _SUMMARY} is damaged: {error!r}.") from error
    if summary["test_fingerprint"] is not None:
        table = replace(table, test=load_saved(directory / _TEST))
    if fingerprint(table) != table.fingerprint:
        raise DataError(f"The copy of the data in {directory} is not what was saved; the experiment cannot go on.")
    return table


def _from_summary(summary: Mapping[str, Any], X: pd.DataFrame, rows: Mapping[str, np.ndarray]) -> Table:
    return Table(
        name=summary["name"],
        X=X,
        y=rows[_TARGET],
        target=summary["target"],
        columns=tuple(Column(**{**column, "kind": ColumnKind(column["kind"])}) for column in summary["columns"]),
        fingerprint=summary["fingerprint"],
        guardrails=tuple(
            Guardrail(g["name"], Verdict(g["verdict"]), g["message"], tuple(g["columns"]))
            for g in summary["guardrails"]
        ),
    ).with_roles({role: rows[role] for role in ROLES if role in summary["roles"]})


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
    """Compare a table that was read anew with the one an experiment began with.

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

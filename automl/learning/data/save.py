"""Tables on disk: what a resumed experiment needs when the data came from memory, and how it knows changed data.

Features are in Parquet; pictures in an array, which is mapped into memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.engine.workspace.atomic import read_json, write_json
from automl.errors import DataError, WorkspaceError
from automl.learning.data.fingerprint import fingerprint
from automl.learning.data.form import form_for, form_of, forms
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.data.kinds import Column
from automl.learning.data.table import ROLES, Table
from automl.learning.data.whole_file import read_parquet, write_parquet

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from automl.learning.data.table import Features

__all__ = ["check_unchanged", "has_copy", "load_saved", "save_summary", "save_table"]

_SUMMARY, _ROWS, _TEST = "table.json", "rows.parquet", "test"
_TARGET = "y"


def save_table(table: Table, directory: Path) -> None:
    """Write a table, test rows included, and table.json.

    Raises:
        WorkspaceError: the directory cannot be written to.
    """
    import pandas as pd

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"Cannot write {directory}: {error.strerror}.") from error
    form_of(table.X).write(table.X, directory)
    rows = {_TARGET: table.y, **table.roles()}
    write_parquet(pd.DataFrame({name: _column(values) for name, values in rows.items()}), directory / _ROWS)
    if table.test is not None:
        save_table(table.test, directory / _TEST)
    save_summary(table, directory)  # last: with it the copy is complete


def _column(values: np.ndarray) -> pd.Series:
    import pandas as pd

    return pd.Series(values, dtype="str" if values.dtype == object else None)


def has_copy(directory: Path) -> bool:
    """Tell whether `save_table` has begun to write a copy there."""
    return any((directory / form.file).exists() for form in forms())


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
    rows = read_parquet(directory / _ROWS)
    try:
        columns = tuple(map(Column.read, summary["columns"]))
        X = form_for(columns).read(directory)
        table = _from_summary(summary, X, columns, {str(name): _values(column) for name, column in rows.items()})
    except (KeyError, TypeError, ValueError) as error:
        raise WorkspaceError(f"{directory / _SUMMARY} is damaged: {error!r}.") from error
    if summary["test_fingerprint"] is not None:
        table = replace(table, test=load_saved(directory / _TEST))
    if fingerprint(table) != table.fingerprint:
        raise DataError(f"The copy of the data in {directory} is not what was saved; the experiment cannot continue.")
    return table


def _from_summary(
    summary: Mapping[str, Any], X: Features, columns: tuple[Column, ...], rows: Mapping[str, np.ndarray]
) -> Table:
    return Table(
        name=summary["name"],
        X=X,
        y=rows[_TARGET],
        target=summary["target"],
        columns=columns,
        fingerprint=summary["fingerprint"],
        guardrails=tuple(
            Guardrail(g["name"], Verdict(g["verdict"]), g["message"], tuple(g["columns"]))
            for g in summary["guardrails"]
        ),
    ).with_roles({role: rows[role] for role in ROLES if role in summary["roles"]})


def _values(column: pd.Series) -> np.ndarray:
    import numpy as np

    return column.to_numpy(dtype=object) if column.dtype.name == "str" else np.array(column)


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

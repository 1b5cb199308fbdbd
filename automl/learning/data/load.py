"""From whatever a user calls data to a `Table`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from automl.errors import DataError
from automl.learning.data.align import align_frame, cast_columns
from automl.learning.data.clean import Cleaned, clean, clean_frame
from automl.learning.data.columns import detect
from automl.learning.data.fingerprint import fingerprint, row_hashes
from automl.learning.data.guardrails import Finding, Guardrail, findings_as_guardrails, noted_in, table_guardrails
from automl.learning.data.kinds import Column, ColumnKind
from automl.learning.data.names import nearest, some
from automl.learning.data.options import DataOptions
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.protocols import told
from automl.learning.data.sources import Source, read_source
from automl.learning.data.table import Table
from automl.learning.data.target import likely_targets, read_role, read_target, require_column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["MIN_ROWS", "align_frame", "clean_frame", "load_like", "load_table"]

MIN_ROWS = 5
"""With fewer rows there is nothing to validate on."""


@dataclass(frozen=True)
class _Parts:
    """A source taken apart: clean features, target, roles; rows without a target are gone."""

    cleaned: Cleaned
    y: np.ndarray
    target: str
    roles: dict[str, np.ndarray]
    guardrails: tuple[Guardrail, ...]


def load_table(
    source: Any,
    options: DataOptions | None = None,
    *,
    task: str,
    columns: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    fold_column: str | None = None,
    reading: Reading | None = None,
) -> Table:
    """Read data, understand its columns, and set aside what is not a feature.

    Args:
        source: catalogue name, path or URL (CSV, TSV, Parquet, compressed or not), a table of pandas, polars or Arrow,
            an array, (X, y), or a scikit-learn Bunch. None takes the source of `options`.
        options: target, roles and test data.
        task: which columns are likely targets depends on it.
        columns: kinds that the user declared, by column.
        drop: columns to leave out.
        fold_column: the column that holds each row's fold.
        reading: its circumstances.

    Raises:
        DataError: the data cannot be read, or nothing can be learned from it; one sentence.

    Example:
        >>> table = load_table("iris", task="classification")
        >>> table.X.shape, table.y[0]
        ((150, 4), 'setosa')
    """
    options = options or DataOptions()
    read = read_source(options.source if source is None else source, reading)
    _refuse_image_options(options)
    parts = _take_apart(read, options, task=task, drop=drop, fold_column=fold_column)
    _require_enough(parts)
    detected = detect(parts.cleaned, columns or {})
    kept = tuple(column for column in detected.columns if column.kind is not ColumnKind.UNSUPPORTED)
    X, lost = cast_columns(parts.cleaned.frame[[column.name for column in kept]], kept)
    if not any(column.kind.is_used for column in kept):
        described = [f"{column.name} ({column.note or column.kind})" for column in detected.columns]
        raise DataError(f"No column can be learned from: {some(described)}.")
    understood = _recounted(kept, X, lost)
    hashes = row_hashes(X)
    table = Table(
        name=read.name,
        X=X,
        y=parts.y,
        target=parts.target,
        columns=understood,
        guardrails=(
            *read.guardrails,
            *parts.guardrails,
            *findings_as_guardrails((*parts.cleaned.findings, *detected.findings, *lost)),
            *table_guardrails(understood, len(X), _with_target(hashes, parts.y)),
        ),
    ).with_roles(parts.roles)
    table = replace(table, fingerprint=fingerprint(table, hashes))
    if options.test is None:
        return table
    test = load_like(options.test, options, table, what="test data", reading=reading)
    return replace(table, test=test, guardrails=(*table.guardrails, *noted_in("Test data", test.guardrails)))


def _refuse_image_options(options: DataOptions) -> None:
    for key in ("directory", "image_size"):
        if getattr(options, key) is not None:
            raise DataError(f"data.{key} is for images, and this is a table: leave it out.")


def load_like(
    source: Any, options: DataOptions, like: Table, *, what: str = "data", reading: Reading | None = None
) -> Table:
    """More rows of a table: test data, or the user's own validation data.

    Args:
        source: as for `load_table`.
        options: those that `like` was loaded with; roles are read where the columns are there.
        like: the table whose columns, kinds and types count.
        what: how messages call it.
        reading: its circumstances.

    Raises:
        DataError: the rows cannot be read, or lack columns or the target.
    """
    try:
        read = read_source(source, reading)
        parts = _take_apart(read, _only_present(options, read), task="", target=like.target)
        X = align_frame(_positional(read, parts.cleaned.frame, like), like.columns)
        if parts.y.dtype.kind != like.y.dtype.kind and "O" in (parts.y.dtype.kind, like.y.dtype.kind):
            raise DataError(f"The target {like.target!r} holds {_sort(parts.y)} here, and {_sort(like.y)} in training.")
    except DataError as error:
        shown = f" {told(os.fspath(source))}" if isinstance(source, str | os.PathLike) else ""
        raise DataError(f"The {what}{shown} cannot be used. {error}") from error
    guardrails = (*read.guardrails, *parts.guardrails)
    table = replace(like, name=read.name, X=X, y=parts.y, test=None, guardrails=guardrails).with_roles(parts.roles)
    return replace(table, fingerprint=fingerprint(table))


def _take_apart(
    read: Source,
    options: DataOptions,
    *,
    task: str,
    target: str | None = None,
    drop: Sequence[str] = (),
    fold_column: str | None = None,
) -> _Parts:
    """Find the target and the roles, and leave the features."""
    cleaned = clean(read.frame)
    frame, findings = cleaned.frame, cleaned.findings
    name = target or options.target or read.target_name
    raw = read.target
    if raw is None:
        name = _require_target(name, frame, task)
        _require_unambiguous(name, [*findings, *_repeated(read)])
        raw = read.frame.iloc[:, list(frame.columns).index(name)]  # as it was: what cleaning it does is reported
        frame = frame.drop(columns=name)
    wanted: dict[str, Any] = {
        "weight": options.weight,
        "group": options.group,
        "time": options.time,
        "fold": fold_column,
    }
    for role, value in wanted.items():
        if isinstance(value, str) and value == name and value not in frame.columns:
            raise DataError(f"The column {value!r} is the target, so it cannot be the {role} as well.")
    roles = {role: read_role(value, role, frame) for role, value in wanted.items() if value is not None}
    names = list(frame.columns)
    for column in drop:
        if column == name and column not in names:
            raise DataError(f"The column to drop is the target {name!r}, which is not a feature anyway; leave it out.")
        require_column(column, names, "column to drop")
    out = {*drop, *(value for value in wanted.values() if isinstance(value, str))}
    y, there, guardrails = read_target(raw, str(name))
    frame = frame[[column for column in names if column not in out]]
    if not len(frame.columns):
        raise DataError(
            f"The table has no column but {some([str(name), *sorted(out)])}; there is nothing to learn from."
        )
    if not there.all():
        frame = frame[there].reset_index(drop=True)
        roles = {role: values[there] for role, values in roles.items()}
    known = set(frame.columns)
    features = Cleaned(frame, tuple(f for f in findings if f.column in known), cleaned.categories & known)
    return _Parts(features, y, str(name), roles, guardrails)


def _require_target(name: str | None, frame: pd.DataFrame, task: str) -> str:
    names = list(frame.columns)
    if name is None:
        likely = ", ".join(repr(column) for column in likely_targets(frame, task))
        raise DataError(
            "Which column is the target? Name it with data.target in the file, or target=...; "
            f"likely ones are {likely}."
        )
    if name not in names:
        hint = nearest(name, names) or f" Likely ones are {', '.join(map(repr, likely_targets(frame, task)))}."
        raise DataError(f"The target {name!r} is not a column of the table.{hint}")
    return name


def _require_unambiguous(name: str, findings: Sequence[Finding]) -> None:
    if any(finding.check == "duplicate_names" and finding.column == name for finding in findings):
        raise DataError(f"Several columns are called {name!r}, so it is not clear which is the target; rename one.")


def _repeated(read: Source) -> list[Finding]:
    """Names that occur twice in a file's header; pandas has numbered them while reading."""
    found = [guardrail for guardrail in read.guardrails if guardrail.name == "duplicate_names"]
    return [Finding("duplicate_names", column) for guardrail in found for column in guardrail.columns]


def _require_enough(parts: _Parts) -> None:
    rows = len(parts.y)
    if rows < MIN_ROWS:
        counted = "1 row" if rows == 1 else f"{rows} rows"
        raise DataError(
            f"The table has {counted} with a target; at least {MIN_ROWS} are needed, and hundreds are better."
        )


def _recounted(columns: Sequence[Column], X: pd.DataFrame, lost: Sequence[Finding]) -> tuple[Column, ...]:
    """Columns with their missing values counted again where reading them by their kind made more."""
    changed = {finding.column for finding in lost} | {c.name for c in columns if c.note == "numbers as text"}
    return tuple(
        replace(column, missing=int(X[column.name].isna().sum())) if column.name in changed else column
        for column in columns
    )


def _with_target(hashes: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Hashes of whole rows, target included."""
    import numpy as np
    import pandas as pd

    combined: np.ndarray = hashes * np.uint64(0x9E3779B97F4A7C15) ^ pd.util.hash_array(y)
    return combined


def _only_present(options: DataOptions, read: Source) -> DataOptions:
    """The options without test data, and without roles that these rows do not have."""
    names = set(clean_frame(read.frame.head(0)).columns)
    absent = {
        role: None
        for role in ("weight", "group", "time")
        if not (isinstance(value := getattr(options, role), str) and value in names)
    }
    return options.model_copy(update={"test": None, **absent})


def _positional(read: Source, features: pd.DataFrame, like: Table) -> Any:
    """An array's columns are taken by position if the table's are."""
    by_position = read.target is not None and len(features.columns) == len(like.columns)
    numbered = list(features.columns) == [f"x{i}" for i in range(len(features.columns))]
    return features.to_numpy() if by_position and numbered else features


def _sort(y: np.ndarray) -> str:
    return "text" if y.dtype.kind == "O" else "numbers"

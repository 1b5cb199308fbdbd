"""A table that is ready to be learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from automl.learning.data.guardrails import Guardrail
from automl.learning.data.kinds import Column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from automl.learning.data.images.images import Images

    Features = pd.DataFrame | Images
    """Raw rows, as models of tables and of pictures take them. Both have ``take``, ``head``, ``shape`` and ``size``;
    `automl.learning.data.form` has what differs."""

__all__ = ["ROLES", "Table"]

ROLES = ("weight", "group", "time", "fold")
"""Columns that say something about rows, and are not features."""


@dataclass(frozen=True, eq=False)
class Table:
    """Features, target, and what is known about both.

    Attributes:
        name: of the dataset, the file without its ending, or ``data``.
        X: (n, m) raw feature columns with text names and a RangeIndex. Numbers, ``bool`` (``boolean`` if values are
            missing), ``datetime64[us]`` and ``str``; missing values are NaN, NaT or NA. Columns that are not used
            (constant, identifier) are there, those that cannot be used are not. Or n pictures, whose only column is an
            `ImageColumn`.
        y: (n,) raw target without missing values; text as objects.
        target: name of the target column, ``target`` when it came separately, without a name.
        columns: of X, in its order.
        weight: (n,) float64, not negative, or None.
        group: (n,) values that are equal within a group, or None.
        time: (n,) numbers or datetime64[us] to order the rows by, or None.
        fold: (n,) the user's own fold of each row, or None.
        test: rows that are only scored, with the same columns.
        fingerprint: sha256 in hexadecimal over names, types, values and order of everything above, test apart.
        guardrails: what was checked, and what was done about it.
    """

    name: str
    X: Features
    y: np.ndarray
    target: str
    columns: tuple[Column, ...]
    weight: np.ndarray | None = None
    group: np.ndarray | None = None
    time: np.ndarray | None = None
    fold: np.ndarray | None = None
    test: Table | None = None
    fingerprint: str = ""
    guardrails: tuple[Guardrail, ...] = ()

    @property
    def n_rows(self) -> int:
        return len(self.X)

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns that models see."""
        return tuple(column for column in self.columns if column.kind.is_used)

    def roles(self) -> dict[str, np.ndarray]:
        """The columns that say something about rows, those that are there."""
        return {role: values for role in ROLES if (values := getattr(self, role)) is not None}

    def with_roles(self, roles: Mapping[str, np.ndarray]) -> Table:
        """The same table with these roles and no others."""
        return replace(
            self,
            weight=roles.get("weight"),
            group=roles.get("group"),
            time=roles.get("time"),
            fold=roles.get("fold"),
        )

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self.n_rows:,} rows x {len(self.columns):,} columns, target {self.target!r})"

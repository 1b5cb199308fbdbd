"""The kinds of columns, and what is known about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from automl.errors import DataError
from automl.learning.data.names import nearest

__all__ = ["UNUSED", "Column", "ColumnKind", "ImageColumn", "read_overrides"]


class ColumnKind(StrEnum):
    """The use of a column. `CONSTANT`, `IDENTIFIER` and `UNSUPPORTED` ones are not used."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATE = "date"
    TEXT = "text"
    IMAGE = "image"
    CONSTANT = "constant"
    IDENTIFIER = "identifier"
    UNSUPPORTED = "unsupported"

    @property
    def is_used(self) -> bool:
        """True if models see the column."""
        return self not in UNUSED


UNUSED = frozenset({ColumnKind.CONSTANT, ColumnKind.IDENTIFIER, ColumnKind.UNSUPPORTED})

_DECLARABLE = tuple(
    kind for kind in ColumnKind if kind not in (ColumnKind.CONSTANT, ColumnKind.UNSUPPORTED, ColumnKind.IMAGE)
)


@dataclass(frozen=True)
class Column:
    """One feature column as it was understood.

    Attributes:
        rows: what has such columns, in a word; all columns of a table say the same.
        name: of the column.
        kind: how it is used.
        missing: rows without a value.
        unique: distinct values, missing ones not counted. In tables of more than 100,000 rows it is counted over
            as many rows, spread evenly.
        note: why the kind was chosen, where that is not plain.
    """

    rows: ClassVar[str] = "tables"
    name: str
    kind: ColumnKind
    missing: int
    unique: int
    note: str = ""

    @staticmethod
    def read(values: Mapping[str, Any]) -> Column:
        """The column, of whatever rows, of which these are the attributes, as JSON values.

        Raises:
            ValueError, TypeError, KeyError: they are not.
        """
        kind = ColumnKind(values["kind"])
        return (ImageColumn if kind is ColumnKind.IMAGE else Column)(**{**values, "kind": kind})


@dataclass(frozen=True, kw_only=True)
class ImageColumn(Column):
    """Pictures, all of one size: what a model of images takes.

    Attributes:
        height: pixels.
        width: pixels.
        channels: 1 for grey, 3 for red, green and blue.
        white: its value in the array that the pictures came in, if they did: see
            `automl.learning.data.images.arrays.white_of`.
    """

    rows: ClassVar[str] = "pictures"
    height: int
    width: int
    channels: int
    white: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels


def read_overrides(overrides: Mapping[str, str], names: Sequence[str]) -> dict[str, ColumnKind]:
    """The kinds that a user declared.

    Raises:
        DataError: a column or a kind does not exist.
    """
    known = set(names)
    declared = {}
    for name, kind in overrides.items():
        if name not in known:
            raise DataError(f"A kind is declared for the column {name!r}, which is not there.{nearest(name, names)}")
        if kind not in _DECLARABLE:
            raise DataError(f"The column {name!r} cannot be {str(kind)!r}: write one of {', '.join(_DECLARABLE)}.")
        declared[name] = ColumnKind(kind)
    return declared

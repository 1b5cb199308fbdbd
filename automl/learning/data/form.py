"""The form of rows: what differs between a table's and pictures. `form_of` tells it of rows, `form_for` of columns."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.learning.data.kinds import Column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from automl.learning.data.table import Features

    RowHashes = Callable[[np.ndarray], np.ndarray]
    """From positions of rows, (m,), to hashes of a part of each, uint64 (m,): equal where that part is."""

__all__ = ["Form", "form_for", "form_of", "forms"]

_FORMS: Mapping[str, str] = {
    "tables": "automl.learning.data.frame_form.FrameForm",
    "pictures": "automl.learning.data.images.form.PictureForm",
}
"""By the word that columns have for what they are of: import paths, since an experiment needs one of them."""


class Form(ABC):
    """The form that raw rows have.

    Attributes:
        file: name of the file that `write` makes.
    """

    file: str

    @abstractmethod
    def layout(self, X: Any) -> str:
        """Describe what all rows of `X` have in common, names and types or sizes: a part of a fingerprint."""

    @abstractmethod
    def hashes(self, X: Any) -> np.ndarray:
        """(n,) uint64: equal for equal rows, with all but certainty different for different ones, in every session."""

    @abstractmethod
    def parts(self, X: Any) -> Sequence[RowHashes]:
        """Yield what rows can be compared by, one after another, those first that are fast and tell most rows apart."""

    @abstractmethod
    def single_columns(self, X: Any) -> pd.DataFrame | None:
        """Columns that mean something each by itself, (n, m); None where there are none."""

    @abstractmethod
    def concat(self, first: Any, second: Any) -> Features:
        """The rows of `first`, then those of `second`."""

    @abstractmethod
    def align(self, X: Any, columns: Sequence[Column]) -> Features:
        """Whatever a user calls rows, as rows with exactly `columns`.

        Raises:
            DataError: it cannot be.
        """

    @abstractmethod
    def describe(self, columns: Sequence[Column], n_rows: int) -> dict[str, str]:
        """Describe rows as a whole, by a word for it; empty where the columns say everything."""

    @abstractmethod
    def write(self, X: Any, directory: Path) -> None:
        """Write all rows to `file` in `directory`, whole or not at all.

        Raises:
            WorkspaceError: the disk is full, or the directory cannot be written to.
        """

    @abstractmethod
    def read(self, directory: Path) -> Features:
        """The rows that `write` wrote.

        Raises:
            WorkspaceError: they cannot be read.
        """

    @abstractmethod
    def write_example(self, X: Any, path: Path) -> Path:
        """Write a few rows to `path`, in a form that other programs read, and return where they are: with a suffix."""


def form_of(X: Features) -> Form:
    """The form of raw rows. Those that are no frame say themselves what they are, as their columns do."""
    return _form(getattr(type(X), "rows", Column.rows))


def form_for(columns: Sequence[Column]) -> Form:
    """The form of rows with these columns."""
    return _form(columns[0].rows if columns else Column.rows)


def forms() -> Iterator[Form]:
    """Every form there is."""
    return map(_form, _FORMS)


@cache
def _form(rows: str) -> Form:
    module, _, name = _FORMS[rows].rpartition(".")
    form: Form = getattr(importlib.import_module(module), name)()
    return form

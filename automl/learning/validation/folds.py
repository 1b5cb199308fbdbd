"""The exact rows of every fold, as one hashed value."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.engine.workspace.atomic import FORMAT_VERSION, write_bytes
from automl.errors import WorkspaceError

__all__ = ["Fold", "Rows", "SplitPlan"]

Rows = NDArray[np.int64]
"""Row positions, shape (rows,)."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to train on and rows to score on; disjoint, both non-empty. Time splits are in the order of time."""

    train: Rows
    valid: Rows


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """The split of a table. Two are equal if their hashes are.

    Attributes:
        strategy: ``kfold``, ``holdout``, ``group``, ``time`` or ``predefined``.
        folds: those of the first repeat, then of the second...
        n_rows: rows of the table that was split.
        repeats: how often every row is validated on, where each is.
        hash: sha256 in hexadecimal over strategy, repeats, rows and every fold.
        description: one line for people.
        notes: what had to be done otherwise than asked for, one sentence each.
    """

    strategy: str
    folds: tuple[Fold, ...]
    n_rows: int
    repeats: int
    hash: str
    description: str
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        strategy: str,
        folds: Sequence[tuple[Any, Any]],
        n_rows: int,
        *,
        repeats: int = 1,
        description: str = "",
        notes: Sequence[str] = (),
    ) -> SplitPlan:
        """A plan of ``(train, valid)`` pairs of row positions, hashed and read-only."""
        frozen = tuple(Fold(_frozen(train), _frozen(valid)) for train, valid in folds)
        digest = _digest(strategy, frozen, n_rows, repeats)
        return cls(strategy, frozen, n_rows, repeats, digest, description or strategy, tuple(notes))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SplitPlan) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def repeat_of(self, fold: int) -> int:
        """The repeat that a fold belongs to, counted from 0."""
        return fold * self.repeats // len(self.folds)

    def validated(self) -> Rows:
        """Rows that some fold scores on, ascending: where out-of-fold predictions exist."""
        mask = np.zeros(self.n_rows, dtype=bool)
        for fold in self.folds:
            mask[fold.valid] = True
        return np.flatnonzero(mask)

    def save(self, path: Path) -> None:
        """Write the plan as ``.npz``: training rows only where they are not simply all others."""
        arrays: dict[str, Any] = {
            "format_version": np.int64(FORMAT_VERSION),
            "text": np.array([self.strategy, self.hash, self.description, *self.notes]),
            "numbers": np.array([self.n_rows, self.repeats, len(self.folds)]),
        }
        for index, fold in enumerate(self.folds):
            arrays[f"valid_{index}"] = fold.valid
            if not np.array_equal(fold.train, _others(fold.valid, self.n_rows)):
                arrays[f"train_{index}"] = fold.train
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> SplitPlan:
        """Read what `save` wrote.

        Raises:
            WorkspaceError: the file is missing, damaged, or of a newer automl.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                version = int(arrays["format_version"])
                if version > FORMAT_VERSION:
                    raise WorkspaceError(f"{path} has format version {version}: install a newer automl.")
                strategy, digest, description, *notes = (str(text) for text in arrays["text"])
                n_rows, repeats, count = (int(number) for number in arrays["numbers"])
                pairs = []
                for index in range(count):
                    valid = arrays[f"valid_{index}"]
                    train = arrays[f"train_{index}"] if f"train_{index}" in arrays else _others(valid, n_rows)
                    pairs.append((train, valid))
        except WorkspaceError:
            raise
        except OSError as error:
            raise WorkspaceError(f"Cannot read the split plan {path}: {error.strerror or error}.") from error
        except Exception as error:  # zipfile, zlib and numpy each have their own
            raise WorkspaceError(f"The split plan {path} is damaged: {error}.") from error
        plan = cls.of(strategy, pairs, n_rows, repeats=repeats, description=description, notes=notes)
        if plan.hash != digest:
            raise WorkspaceError(f"The split plan {path} is damaged: its rows do not have the hash that it states.")
        return plan


def _frozen(rows: Any) -> Rows:
    array = np.array(rows, dtype=np.int64)
    array.flags.writeable = False
    return array


def _others(valid: Rows, n_rows: int) -> Rows:
    mask = np.ones(n_rows, dtype=bool)
    mask[valid] = False
    return np.flatnonzero(mask)


def _digest(strategy: str, folds: Sequence[Fold], n_rows: int, repeats: int) -> str:
    digest = hashlib.sha256(f"{strategy} {n_rows} {repeats} {len(folds)}".encode())
    for fold in folds:
        for rows in (fold.train, fold.valid):
            digest.update(f" {rows.size} ".encode())
            digest.update(np.ascontiguousarray(rows, dtype="<i8").tobytes())
    return digest.hexdigest()

"""The matrices of each fold and view, computed once: they do not depend on hyperparameters.

Small ones stay in the worker's memory. Larger ones go to the experiment's cache directory as memory maps, which the
workers of a machine share; a lock ensures that one of them computes while the others wait.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.learning.features.views import ViewChoice, make_features, view_key

if TYPE_CHECKING:
    from automl.learning.data.kinds import Column
    from automl.learning.data.table import Features
    from automl.learning.features.base import View
    from automl.learning.validation.plan import SplitPlan

__all__ = ["FoldMatrices", "Matrices", "SplitTable", "compute_matrices"]

_SMALL = 2**20
_MEMORY = 64 * 2**20
_DISK = 4 * 2**30
_FREE = 2**30
"""Bytes: of a pair of matrices that is never cached on disk; in memory in all; on disk in all, or twice a larger pair,
since each worker would have its own of what is not; left free on disk."""


@dataclass(frozen=True, eq=False)
class SplitTable:
    """The part of an experiment that matrices are made of.

    Attributes:
        X: raw columns, n rows.
        columns: what the columns of `X` hold.
        plan: the rows of every fold.
        y: the target as learners get it, (n,).
        weight: of each row, (n,); None for ones.
    """

    X: Features
    columns: tuple[Column, ...]
    plan: SplitPlan
    y: np.ndarray
    weight: np.ndarray | None = None

    @cached_property
    def digest(self) -> str:
        """Tells apart what views could learn from: all but `X`, since a cache belongs to the data of one experiment."""
        found = hashlib.sha256(f"{self.plan.hash} {self.columns!r}".encode())
        for values in (self.y, self.weight):
            if values is not None:
                found.update(f" {values.dtype} {values.shape} ".encode())
                found.update(np.ascontiguousarray(values).data)
        return found.hexdigest()


@dataclass(frozen=True, eq=False)
class Matrices:
    """One fold in one view. The arrays are read-only.

    Attributes:
        features: fitted on the training rows.
        train: float, (len(train_rows), d).
        valid: float, (len(valid_rows), d).
        train_rows: positions in the table.
        valid_rows: positions in the table.
        fit_seconds: what learning the features and transforming the training rows took when it was done.
        transform_seconds: what transforming the validation rows took.
    """

    features: View
    train: np.ndarray
    valid: np.ndarray
    train_rows: np.ndarray
    valid_rows: np.ndarray
    fit_seconds: float
    transform_seconds: float

    @property
    def size(self) -> int:
        return self.train.nbytes + self.valid.nbytes


class FoldMatrices:
    """A worker's matrices. Pickled without them.

    Args:
        table: that they are made of.
        directory: where large ones are cached; None for nowhere.
    """

    def __init__(self, table: SplitTable, directory: Path | None = None) -> None:
        self.table, self._directory = table, directory
        self._held: OrderedDict[tuple[Any, ...], Matrices] = OrderedDict()

    def __reduce__(self) -> tuple[type[FoldMatrices], tuple[SplitTable, Path | None]]:
        return FoldMatrices, (self.table, self._directory)

    def get(self, fold: int, *, view: ViewChoice, share: float = 1.0) -> Matrices:
        """The matrices of a fold.

        Args:
            share: of the fold's training rows that are used, the same rows for every trial.
        """
        key = (view_key(view), fold, share)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        table = self.table
        rows = table.plan.folds[fold]
        train_rows = _subset(rows.train, share, fold)
        cells = (len(train_rows) + len(rows.valid)) * (table.X.size // len(table.X))
        if self._directory is None or cells * 8 <= _SMALL:  # one-hot columns may make more: that is decided below
            matrices = compute_matrices(table, train_rows, rows.valid, view)
        else:
            matrices = _cached(self._directory / _name(table, *key), table, train_rows, rows.valid, view)
        self._hold(key, matrices)
        return matrices

    def _hold(self, key: tuple[Any, ...], matrices: Matrices) -> None:
        if isinstance(matrices.train, np.memmap) or matrices.size > _MEMORY // 4:
            return
        self._held[key] = matrices
        while sum(held.size for held in self._held.values()) > _MEMORY:
            self._held.popitem(last=False)


def _subset(rows: np.ndarray, share: float, fold: int) -> np.ndarray:
    """The first part of a fixed order: a larger share holds all rows of a smaller one."""
    if share >= 1.0:
        return rows
    order = np.random.default_rng(fold).permutation(len(rows))
    return rows[np.sort(order[: max(1, round(share * len(rows)))])]


def compute_matrices(table: SplitTable, train_rows: np.ndarray, valid_rows: np.ndarray, view: ViewChoice) -> Matrices:
    """The matrices of these rows, made again."""
    started = time.perf_counter()
    features = make_features(view, table.columns)
    weight = None if table.weight is None else table.weight[train_rows]
    train = features.fit_transform(table.X.take(train_rows), table.y[train_rows], weight)
    fitted = time.perf_counter()
    valid = features.transform(table.X.take(valid_rows))
    train.flags.writeable = valid.flags.writeable = False  # a learner that writes into them would spoil later trials
    return Matrices(features, train, valid, train_rows, valid_rows, fitted - started, time.perf_counter() - fitted)


def _name(table: SplitTable, view: str, fold: int, share: float) -> str:
    digest = hashlib.sha256(f"{table.digest} {share} {view}".encode()).hexdigest()[:16]
    return f"fold_{fold:02d}-{digest}"


def _cached(
    place: Path, table: SplitTable, train_rows: np.ndarray, valid_rows: np.ndarray, view: ViewChoice
) -> Matrices:
    from filelock import FileLock

    found = _load(place, train_rows, valid_rows)
    if found is not None:
        return found
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError:  # a worker on a machine where the experiment's directory cannot be made
        return compute_matrices(table, train_rows, valid_rows, view)
    with FileLock(place.with_name(f"{place.name}.lock")):
        found = _load(place, train_rows, valid_rows)
        if found is not None:
            return found
        shutil.rmtree(place, ignore_errors=True)
        matrices = compute_matrices(table, train_rows, valid_rows, view)
        if _save(place, matrices):
            return _load(place, train_rows, valid_rows) or matrices
        return matrices


def _load(place: Path, train_rows: np.ndarray, valid_rows: np.ndarray) -> Matrices | None:
    import joblib

    try:
        features, fit_seconds, transform_seconds = joblib.load(place / "features.joblib")
        train = np.load(place / "train.npy", mmap_mode="r")
        valid = np.load(place / "valid.npy", mmap_mode="r")
    except Exception:  # torn, as by a power cut: whatever unpickling raises then
        return None
    return Matrices(features, train, valid, train_rows, valid_rows, fit_seconds, transform_seconds)


def _save(place: Path, matrices: Matrices) -> bool:
    """Write a whole directory or none. False if the disk, or the part of it that a cache may take, is full."""
    import joblib

    used = sum(file.stat().st_size for file in place.parent.glob("*/*.npy"))
    free = shutil.disk_usage(place.parent).free
    if used + matrices.size > max(_DISK, 2 * matrices.size) or free - matrices.size < _FREE:
        return False
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        draft.mkdir(exist_ok=True)
        np.save(draft / "train.npy", matrices.train)
        np.save(draft / "valid.npy", matrices.valid)
        joblib.dump((matrices.features, matrices.fit_seconds, matrices.transform_seconds), draft / "features.joblib")
        draft.rename(place)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        return False
    return True

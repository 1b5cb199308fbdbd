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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.learning.features.views import make_features

if TYPE_CHECKING:
    from automl.learning.data.kinds import Column
    from automl.learning.data.table import Features
    from automl.learning.features.base import View
    from automl.learning.validation.plan import SplitPlan

__all__ = ["FoldMatrices", "Matrices", "compute_matrices"]

_SMALL = 2**20
_MEMORY = 64 * 2**20
_DISK = 4 * 2**30
_FREE = 2**30
"""Bytes: of a pair of matrices that is never cached on disk; in memory in all; on disk in all, or twice a larger pair,
since each worker would have its own of what is not; left free on disk."""


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
    """A worker's matrices. Pickled without them."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Any, ...], Matrices] = OrderedDict()

    def __reduce__(self) -> tuple[type[FoldMatrices], tuple[()]]:
        return FoldMatrices, ()

    def get(
        self,
        X: Features,
        columns: tuple[Column, ...],
        plan: SplitPlan,
        fold: int,
        *,
        view: str,
        share: float = 1.0,
        directory: Path | None = None,
    ) -> Matrices:
        """The matrices of a fold.

        Args:
            X: raw columns, always those of the same table.
            share: of the fold's training rows that are used, the same rows for every trial.
            directory: where large ones are cached; None for nowhere.
        """
        key = (view, fold, share)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        valid_rows = plan.folds[fold].valid
        train_rows = _subset(plan.folds[fold].train, share, fold)
        cells = (len(train_rows) + len(valid_rows)) * (X.size // len(X))
        if directory is None or cells * 8 <= _SMALL:  # one-hot columns may make more of them: that is decided below
            matrices = compute_matrices(X, columns, train_rows, valid_rows, view)
        else:
            name = _name(columns, plan, key)
            matrices = _cached(directory / name, X, columns, train_rows, valid_rows, view)
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


def compute_matrices(
    X: Features, columns: tuple[Column, ...], train_rows: np.ndarray, valid_rows: np.ndarray, view: str
) -> Matrices:
    """The matrices of these rows, made again."""
    started = time.perf_counter()
    features = make_features(view, columns)
    train = features.fit_transform(X.take(train_rows))
    fitted = time.perf_counter()
    valid = features.transform(X.take(valid_rows))
    train.flags.writeable = valid.flags.writeable = False  # a learner that writes into them would spoil later trials
    return Matrices(features, train, valid, train_rows, valid_rows, fitted - started, time.perf_counter() - fitted)


def _name(columns: tuple[Column, ...], plan: SplitPlan, key: tuple[Any, ...]) -> str:
    view, fold, share = key
    kinds = repr([(column.name, str(column.kind)) for column in columns])
    digest = hashlib.sha256(f"{plan.hash} {kinds} {share}".encode()).hexdigest()[:16]
    return f"{view}-{fold:02d}-{digest}"


def _cached(
    place: Path,
    X: Features,
    columns: tuple[Column, ...],
    train_rows: np.ndarray,
    valid_rows: np.ndarray,
    view: str,
) -> Matrices:
    from filelock import FileLock

    found = _load(place, train_rows, valid_rows)
    if found is not None:
        return found
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError:  # a worker on a machine where the experiment's directory cannot be made
        return compute_matrices(X, columns, train_rows, valid_rows, view)
    with FileLock(place.with_name(f"{place.name}.lock")):
        found = _load(place, train_rows, valid_rows)
        if found is not None:
            return found
        shutil.rmtree(place, ignore_errors=True)
        matrices = compute_matrices(X, columns, train_rows, valid_rows, view)
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

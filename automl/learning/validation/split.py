"""Ways of splitting rows, in NumPy alone: importing scikit-learn would cost more than most first trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.errors import DataError
from automl.learning.validation.folds import Rows

__all__ = ["codes_of", "group_folds", "holdout", "kfold", "missing", "pairs_of", "predefined_folds", "time_folds"]

Codes = NDArray[np.int64]


def codes_of(values: Any) -> tuple[Codes, int]:
    """Integers 0..K-1 that tell `values` apart, and K. Missing values are one value."""
    array = np.asarray(values)
    if array.dtype.kind in "OUSTV":
        seen: dict[Any, int] = {}
        codes = [seen.setdefault(_key(value), len(seen)) for value in array.tolist()]
        return np.array(codes, dtype=np.int64), len(seen)
    unique, inverse = np.unique(array, return_inverse=True)
    return inverse.astype(np.int64).reshape(-1), len(unique)


def missing(values: Any) -> NDArray[np.bool_]:
    """Mark where `values` is None, NaN, NaT or pandas' NA."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        return np.array([_key(value) is None for value in array.tolist()], dtype=bool)
    if array.dtype.kind in "mM":
        return np.asarray(np.isnat(array))
    if array.dtype.kind == "f":
        return np.asarray(np.isnan(array))
    return np.zeros(array.shape, dtype=bool)


def _key(value: Any) -> Any:
    """Return what tells a cell apart: None for every kind of missing value."""
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value):
        return None
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def kfold(codes: Codes, folds: int, rng: np.random.Generator) -> Codes:
    """The fold of every row, shuffled, so that fold sizes and the counts of each class differ by at most one.

    Rows are lined up class by class, shuffled within each, and dealt like cards.
    """
    shuffled = rng.permutation(codes.size)
    line = shuffled[np.argsort(codes[shuffled], kind="stable")]
    fold = np.empty(codes.size, dtype=np.int64)
    fold[line] = np.arange(codes.size) % folds
    return fold


def holdout(codes: Codes, fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Rows to hold out: `fraction` of all and, within one row, of each class, but never all of a class."""
    shuffled = rng.permutation(codes.size)
    line = shuffled[np.argsort(codes[shuffled], kind="stable")]
    marks = np.floor(np.arange(codes.size + 1) * fraction + 0.5)
    out = np.zeros(codes.size, dtype=bool)
    out[line] = np.diff(marks) > 0
    counts = np.bincount(codes)
    gone = np.flatnonzero((counts > 0) & (np.bincount(codes[out], minlength=counts.size) == counts))
    for code in gone:
        out[line[np.searchsorted(codes[line], code)]] = False
    if not out.any():  # a single row, of the largest class, which can spare it
        out[line[np.searchsorted(codes[line], np.argmax(counts))]] = True
    return out


def group_folds(codes: Codes, groups: Codes, folds: int, rng: np.random.Generator) -> Codes:
    """The fold of every row, so that groups stay whole and the shares of each class are nearly equal.

    Greedy, largest group first: each goes to the fold where it adds least to the sum over classes of squared shares,
    the idea of scikit-learn's StratifiedGroupKFold with squares for its standard deviations. With one class it is
    balancing by size. Of at least `folds` groups, every fold gets one.
    """
    n_groups, n_classes = int(groups.max()) + 1, int(codes.max()) + 1
    table = np.bincount(groups * n_classes + codes, minlength=n_groups * n_classes).reshape(n_groups, n_classes)
    shares = table / table.sum(axis=0)
    order = rng.permutation(n_groups)
    order = order[np.argsort(-np.square(shares[order]).sum(axis=1), kind="stable")]
    filled, sizes = np.zeros((folds, n_classes)), np.zeros(folds)
    fold_of = np.empty(n_groups, dtype=np.int64)
    for group in order:
        # Adding g to f raises the sum of squares by 2 f.g + g.g, and g.g is the same for all; size breaks ties.
        best = int(np.argmin(filled @ shares[group] + 1e-9 * sizes / codes.size))
        fold_of[group] = best
        filled[best] += shares[group]
        sizes[best] += table[group].sum()
    return fold_of[groups]


def time_folds(order_by: Any, folds: int) -> list[tuple[Rows, Rows]]:
    """Forward chaining: fold i trains on the first i + 1 of folds + 1 blocks of time and scores on the next one.

    Rows of one instant are never on both sides of a boundary, which can leave fewer folds.

    Raises:
        DataError: the times are missing, text that is not an ISO date, or all the same.
    """
    instants = _instants(order_by)
    order = np.argsort(instants, kind="stable")
    ordered = instants[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # where an instant begins
    n = ordered.size
    wanted = np.arange(1, folds + 1) * n / (folds + 1)
    cuts = np.unique(starts[np.clip(np.searchsorted(starts, wanted), 0, starts.size - 1)])
    cuts = cuts[cuts > 0]
    if not cuts.size:
        raise DataError("The time column has a single value: nothing can be trained on the past and scored on later.")
    ends = [*cuts[1:].tolist(), n]
    return [(order[:cut], order[cut:end]) for cut, end in zip(cuts.tolist(), ends, strict=True)]


def _instants(values: Any) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind in "OUST":
        try:
            array = array.astype("datetime64[ns]") if array.dtype.kind != "T" else array.astype("U").astype("M8[ns]")
        except (ValueError, TypeError):
            try:
                array = array.astype(np.float64)
            except (ValueError, TypeError):
                raise DataError(
                    "The time column holds text, not an ISO date (2024-12-31 or 2024-12-31T23:59); convert it first."
                ) from None
    if count := int(missing(array).sum()):
        raise DataError(f"The time column is missing in {count} rows, which have no place in time; drop or fill them.")
    return array


def predefined_folds(column: Any) -> list[tuple[Rows, Rows]]:
    """One fold per value of `column`; -1, 'train' and missing values are trained on in every fold.

    Raises:
        DataError: no row is left to train on or to score on, or the column has too many values for folds.
    """
    array = np.asarray(column)
    always = missing(array) | np.array([_means_train(value) for value in array.tolist()], dtype=bool)
    codes, _ = codes_of(array)
    names = np.unique(codes[~always])
    if names.size == 0:
        raise DataError("The fold column holds out no row: all its values are missing, -1 or 'train'.")
    if names.size == 1 and not always.any():
        raise DataError("The fold column has a single value: mark training rows by -1, 'train' or nothing.")
    if names.size > 1000:
        raise DataError(f"The fold column has {names.size:,} different values; one for each fold is expected.")
    return pairs_of(codes, names.tolist(), array.size)


def _means_train(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("train", "training", "-1")
    return isinstance(value, int | float) and value == -1


def pairs_of(fold: Codes, names: Sequence[int], n_rows: int) -> list[tuple[Rows, Rows]]:
    """(train, valid) for each fold in `names`: valid is its rows, train all others."""
    rows = np.arange(n_rows)
    return [(rows[fold != name], rows[fold == name]) for name in names]

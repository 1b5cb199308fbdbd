"""Checks that look across a split: what would make its scores better than the model is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl.learning.data.form import form_of
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.validation.duplicates import twin_codes
from automl.learning.validation.folds import SplitPlan
from automl.learning.validation.split import codes_of, missing

if TYPE_CHECKING:
    import pandas as pd

    from automl.learning.data.table import Features

__all__ = ["split_guardrails"]

TINY_FOLD = 10
"""Rows below which one row moves a fold's score by more than a tenth."""

FEWEST_TO_TELL = 20
"""Rows below which a feature matches the target by chance."""

_SAMPLE = 256


def split_guardrails(
    plan: SplitPlan,
    X: Features,
    y: Any,
    *,
    classification: bool,
    group: Any = None,
    time: Any = None,
) -> tuple[Guardrail, ...]:
    """Everything that is checked across `plan`.

    Args:
        X: raw features, shape (rows, columns), or pictures, which have no columns to compare with the target.
        y: target, shape (rows,): labels or codes of a classification, else numbers.
        group, time: None, or one value per row.
    """
    guardrails = [_duplicates(plan, X)]
    columns = form_of(X).single_columns(X)
    if columns is not None:
        guardrails.append(_target_leak(columns, np.asarray(y), classification))
    if group is not None:
        guardrails.append(_groups(plan, group))
    if time is not None:
        guardrails.append(_future(plan, time))
    guardrails.append(_sizes(plan, np.asarray(y), classification))
    return (*guardrails, *(Guardrail("split", Verdict.ALERTED, note) for note in plan.notes))


def _duplicates(plan: SplitPlan, X: Features) -> Guardrail:
    name = "duplicates_across_split"
    codes = twin_codes(X)
    if codes is None:
        return Guardrail(name, Verdict.ALERTED, "Not checked for duplicated rows: the table is too large.")
    if not (codes >= 0).any():
        return Guardrail(name, Verdict.PASSED, "No row occurs twice.")
    share = max(_shared(plan, codes))
    if share == 0:
        return Guardrail(name, Verdict.PASSED, "No row has a duplicate on the other side of a split.")
    return Guardrail(
        name,
        Verdict.ALERTED,
        f"Up to {share:.1%} of a fold's validation rows have the same features as a training row: "
        "scores may be too good. Drop duplicates, or give data.group what they have in common.",
    )


def _shared(plan: SplitPlan, codes: NDArray[np.int64]) -> Iterator[float]:
    """For each fold, the share of its validation rows whose code occurs in its training rows, too; -1 never does."""
    for fold in plan.folds:
        known = np.zeros(codes.max() + 2, dtype=bool)
        known[codes[fold.train]] = True
        known[-1] = False
        yield float(known[codes[fold.valid]].mean())


def _groups(plan: SplitPlan, group: Any) -> Guardrail:
    codes = codes_of(group)[0]
    codes[missing(group)] = -1
    share = max(_shared(plan, codes))
    if share == 0:
        return Guardrail("group_leakage", Verdict.PASSED, "No group lies on both sides of a split.")
    return Guardrail(
        "group_leakage",
        Verdict.ALERTED,
        f"Up to {share:.1%} of a fold's validation rows belong to a group that is trained on: scores may be too good. "
        "Set validation.strategy to group.",
    )


def _future(plan: SplitPlan, time: Any) -> Guardrail:
    if plan.strategy == "time":
        return Guardrail("time_leakage", Verdict.PASSED, "Every fold is trained on the past of what it is scored on.")
    return Guardrail(
        "time_leakage",
        Verdict.ALERTED,
        f"There is a time column, but the strategy is {plan.strategy}: the future may be trained on. "
        "Set validation.strategy to time.",
    )


def _target_leak(X: pd.DataFrame, y: NDArray[Any], classification: bool) -> Guardrail:
    name = "target_leakage"
    if len(X) < FEWEST_TO_TELL:
        return Guardrail(name, Verdict.PASSED, f"With {len(X)} rows no feature can be told from the target's copy.")
    target = codes_of(y)[0] if classification else np.asarray(y, dtype=np.float64)
    sample = np.linspace(0, len(X) - 1, min(len(X), _SAMPLE)).astype(np.int64)
    found = []
    if np.unique(target).size > 1:
        # Hardly any column survives the sample, so nearly all of the table is never looked at.
        for position, (column, series) in enumerate(X.iloc[sample].items()):
            if not _determines(series, target[sample], classification):
                continue
            if len(X) == sample.size or _determines(X.iloc[:, position], target, classification):
                found.append(str(column))
    if not found:
        return Guardrail(name, Verdict.PASSED, "No feature equals the target.")
    listed = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
    return Guardrail(
        name,
        Verdict.ALERTED,
        f"{listed}: the same as the target under another name or scale. If it is not known at the time of prediction, "
        "list it in features.drop.",
        tuple(found),
    )


def _determines(series: pd.Series[Any], target: NDArray[Any], classification: bool) -> bool:
    """Tell whether values and targets map one to one, and for a regression monotonically."""
    if classification:
        return _one_to_one(codes_of(_cells(series))[0], target)
    try:
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        return False
    if not np.isfinite(values).all():
        return False
    order = np.argsort(target, kind="stable")
    steps, moved = np.diff(values[order]), np.diff(target[order]) > 0
    if not moved.any() or (steps[~moved] != 0).any():
        return False
    return bool((steps[moved] > 0).all() or (steps[moved] < 0).all())


def _cells(series: pd.Series[Any]) -> NDArray[Any]:
    """A column as an array that `codes_of` reads fast."""
    if series.dtype.kind in "biufMm" and isinstance(series.dtype, np.dtype):
        return series.to_numpy()
    try:
        return series.factorize(use_na_sentinel=False)[0]
    except TypeError:  # lists and the like in cells
        return series.astype(str).factorize()[0]


def _one_to_one(values: NDArray[np.int64], target: NDArray[np.int64]) -> bool:
    pairs = values * (int(target.max()) + 1) + target
    n_pairs = np.unique(pairs).size
    return bool(n_pairs == np.unique(values).size == np.unique(target).size)


def _sizes(plan: SplitPlan, y: NDArray[Any], classification: bool) -> Guardrail:
    name = "fold_sizes"
    smallest = min(fold.valid.size for fold in plan.folds)
    if smallest < TINY_FOLD:
        rows = "1 row" if smallest == 1 else f"{smallest} rows"
        return Guardrail(name, Verdict.ALERTED, f"The smallest fold is scored on {rows}: its score says little.")
    if classification:
        codes, n_classes = codes_of(y)
        untrained = _unseen(plan, codes, n_classes, "train")
        unscored = _unseen(plan, codes, n_classes, "valid")
        if untrained or unscored:
            parts = [f"in training for {untrained}"] * bool(untrained) + [f"in validation for {unscored}"] * bool(
                unscored
            )
            reason = f"A class is missing {' and '.join(parts)} of {len(plan.folds)} folds: some metrics are undefined."
            return Guardrail(name, Verdict.ALERTED, reason)
    return Guardrail(name, Verdict.PASSED, f"Every fold is scored on at least {smallest:,} rows.")


def _unseen(plan: SplitPlan, codes: NDArray[np.int64], n_classes: int, side: str) -> int:
    """Folds in which some class has no row on `side`."""
    counts = (np.bincount(codes[getattr(fold, side)], minlength=n_classes) for fold in plan.folds)
    return sum(bool((count == 0).any()) for count in counts)

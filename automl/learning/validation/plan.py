"""From options and data to a split plan."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl.errors import ConfigError, DataError
from automl.learning.validation.folds import Fold, SplitPlan
from automl.learning.validation.options import ValidationOptions
from automl.learning.validation.split import (
    Codes,
    codes_of,
    group_folds,
    holdout,
    kfold,
    missing,
    pairs_of,
    predefined_folds,
    time_folds,
)

__all__ = ["Fold", "SplitPlan", "make_plan"]

SMALL, MEDIUM = 1_000, 20_000
"""Rows up to which auto repeats its folds, and up to which it uses folds at all: the noise of a score shrinks with the
rows it is measured on, and the cost of a trial grows with them."""

FEWEST_FOLDS = 3
"""Auto gives up folds for the sake of rare classes down to this: two would train on half of the rows."""


def make_plan(
    options: ValidationOptions,
    *,
    y: Any,
    n_rows: int,
    stratify: bool,
    group: Any = None,
    time: Any = None,
    fold_column: Any = None,
    valid_rows: Any = None,
    seed: int = 0,
) -> SplitPlan:
    """Split `n_rows` rows as `options` say. The same arguments give the same plan.

    Args:
        y: target, shape (n_rows,); looked at only where `stratify` is true.
        stratify: keep the shares of the classes in `y` alike in all folds.
        group, time, fold_column: None, or one value per row.
        valid_rows: positions of the rows that came from ``validation.source``.

    Raises:
        ConfigError: the options do not fit the data: a group strategy without a group, more folds than rows.
        DataError: the data cannot be split: one row, one group, one point in time.
    """
    if n_rows < 2:
        raise DataError(
            f"There {'is 1 row' if n_rows == 1 else 'are no rows'}: at least 2 are needed, one to score on."
        )
    strategy = _strategy(options, n_rows, group=group, time=time, fold_column=fold_column, valid_rows=valid_rows)
    codes = codes_of(y)[0] if stratify else np.zeros(n_rows, dtype=np.int64)
    if strategy == "predefined":
        return _predefined(fold_column, valid_rows, n_rows)
    if strategy == "time":
        return _time(options, time, n_rows)
    if strategy == "group":
        return _group(options, codes, group, stratify, seed)
    if strategy == "holdout":
        return _holdout(options.fraction or 0.2, codes, stratify, seed)
    return _kfold(options, codes, stratify, seed)


def _strategy(
    options: ValidationOptions, n_rows: int, *, group: Any, time: Any, fold_column: Any, valid_rows: Any
) -> str:
    """Return what auto becomes, having checked that the data has what the strategy needs."""
    strategy: str = options.strategy
    has = {"group": group is not None, "time": time is not None}
    if strategy == "auto":
        if fold_column is not None or valid_rows is not None:
            strategy = "predefined"
        elif has["group"] and has["time"]:
            raise ConfigError(
                "both data.group and data.time are given; choose group or time", key="validation.strategy"
            )
        elif has["group"] or has["time"]:
            strategy = "group" if has["group"] else "time"
            if options.fraction is not None or options.repeats is not None:
                name = "fraction" if options.fraction is not None else "repeats"
                reason = f"{name} does not go with data.{strategy}, which leads to strategy {strategy}; "
                raise ConfigError(f"{reason}leave it out, or set strategy", key=f"validation.{name}")
        elif options.fraction is not None:
            strategy = "holdout"
        elif options.folds is not None or options.repeats is not None or n_rows <= MEDIUM:
            strategy = "kfold"
        else:
            strategy = "holdout"
    if strategy in has and not has[strategy]:
        raise ConfigError(f"strategy {strategy} needs data.{strategy}: the column's name", key="validation.strategy")
    if strategy == "predefined" and fold_column is None and valid_rows is None:
        raise ConfigError("strategy predefined needs source or fold", key="validation.strategy")
    return strategy


def _kfold(options: ValidationOptions, codes: Codes, stratify: bool, seed: int) -> SplitPlan:
    n_rows, notes = codes.size, []
    folds = _folds(options, n_rows, "rows")
    if folds < (options.folds or 5):
        notes.append(f"There are {n_rows} rows: {folds} folds instead of 5.")
    counts = np.bincount(codes)
    rarest = int(counts[counts > 1].min(initial=n_rows))
    if stratify and options.folds is None and rarest < folds and folds > FEWEST_FOLDS:
        fewer = max(rarest, FEWEST_FOLDS)
        notes.append(f"A class has only {rarest} rows: {fewer} folds instead of {folds}.")
        folds = fewer
    automatic = options.strategy == "auto" and options.folds is None and n_rows <= SMALL
    repeats = options.repeats or (3 if automatic else 1)
    pairs = []
    for repeat in range(repeats):
        fold = kfold(codes, folds, np.random.default_rng([seed, repeat]))
        pairs += pairs_of(fold, range(folds), n_rows)
    kind = f"{folds}-fold {'stratified ' if stratify else ''}cross-validation"
    times = f", {repeats} times" if repeats > 1 else ""
    return SplitPlan.of("kfold", pairs, n_rows, repeats=repeats, description=kind + times, notes=notes)


def _holdout(fraction: float, codes: Codes, stratify: bool, seed: int) -> SplitPlan:
    out = holdout(codes, fraction, np.random.default_rng([seed, 0]))
    pair = (np.flatnonzero(~out), np.flatnonzero(out))
    kind = f"{'stratified ' if stratify else ''}holdout of {pair[1].size:,} of {codes.size:,} rows"
    return SplitPlan.of("holdout", [pair], codes.size, description=kind)


def _group(options: ValidationOptions, codes: Codes, group: Any, stratify: bool, seed: int) -> SplitPlan:
    groups, n_groups = codes_of(group)
    notes = []
    if count := int((lost := missing(group)).sum()):
        groups[lost] = n_groups + np.arange(count)
        groups, n_groups = codes_of(groups)
        notes.append(f"{count} rows have no group: each is its own group.")
    if n_groups < 2:
        raise DataError("The group column has a single value: no group can be held out.")
    folds = _folds(options, n_groups, "groups")
    if folds < (options.folds or 5):
        notes.append(f"There are {n_groups} groups: {folds} folds instead of 5.")
    fold = group_folds(codes, groups, folds, np.random.default_rng([seed, 0]))
    kind = f"{folds}-fold {'stratified ' if stratify else ''}cross-validation of {n_groups:,} whole groups"
    return SplitPlan.of("group", pairs_of(fold, range(folds), codes.size), codes.size, description=kind, notes=notes)


def _time(options: ValidationOptions, time: Any, n_rows: int) -> SplitPlan:
    wanted = options.folds or 5
    pairs = time_folds(time, min(wanted, n_rows - 1))
    notes = [] if len(pairs) == wanted else [f"The times allow {len(pairs)} folds instead of {wanted}."]
    kind = f"{len(pairs)} folds forward in time: trained on the past, scored on what follows"
    return SplitPlan.of("time", pairs, n_rows, description=kind, notes=notes)


def _predefined(fold_column: Any, valid_rows: Any, n_rows: int) -> SplitPlan:
    if valid_rows is None:
        pairs = predefined_folds(fold_column)
        return SplitPlan.of("predefined", pairs, n_rows, description=f"{len(pairs)} folds by the fold column")
    out = np.zeros(n_rows, dtype=bool)
    out[np.asarray(valid_rows, dtype=np.int64)] = True
    if out.all() or not out.any():
        raise DataError("The validation table leaves no rows to train on, or has none itself.")
    pair = (np.flatnonzero(~out), np.flatnonzero(out))
    return SplitPlan.of("predefined", [pair], n_rows, description=f"{pair[1].size:,} validation rows that were given")


def _folds(options: ValidationOptions, most: int, what: str) -> int:
    """Folds asked for, by default 5 or as many as there are `what`.

    Raises:
        ConfigError: more were asked for than there are.
    """
    if options.folds is not None and options.folds > most:
        raise ConfigError(f"{options.folds} folds need as many {what}; there are {most}", key="validation.folds")
    return options.folds or min(5, most)

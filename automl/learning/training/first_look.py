"""A first look at a learner that says nothing while it fits: what is it worth on a ninth of the rows?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from automl.learning.training.fold_features import Matrices

__all__ = ["LOOK_STEP", "first_part"]

LOOK_STEP = 9
"""The step at which a first look is reported: before whatever else a fold reports."""

_PARTS = 9
_FEWEST_ROWS = 5_000
"""With fewer training rows a fit is over before a look could save anything. Rows, not a clock: runs repeat."""


def first_part(matrices: Matrices) -> Matrices | None:
    """`matrices` with a ninth of their training rows, the same ones for every trial; None if there are too few rows."""
    n_rows = len(matrices.train)
    if n_rows < _FEWEST_ROWS:
        return None
    rows = np.sort(np.random.default_rng(0).permutation(n_rows)[: n_rows // _PARTS])
    return replace(matrices, train=matrices.train[rows], train_rows=matrices.train_rows[rows])

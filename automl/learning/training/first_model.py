"""A model of some of the rows before the trial's own: there is one, however short the time or busy the machine.

It is certain: on a few hundred rows features and fit are over soon, whatever the learner and however long the table.
Where the whole fold looks too long for the time that is left, a second one has as many rows as a quarter of it allows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import numpy as np

from automl.client import Run
from automl.engine.trial.contract import Outcome
from automl.engine.workspace.layout import TrialDirectory
from automl.learning.algorithms.base import Learner
from automl.learning.algorithms.pipeline import FittedPipeline
from automl.learning.features.views import ViewChoice
from automl.learning.metrics.base import Metric, score_all
from automl.learning.tasks.base import Target
from automl.learning.training.fold_features import Matrices, SplitTable, compute_matrices
from automl.learning.training.fold_progress import FoldProgress
from automl.learning.training.kept_folds import FIRST_MODEL, KeptFolds
from automl.learning.training.latency import Latency
from automl.learning.training.oof import OutOfFold, save_model
from automl.learning.validation.folds import Fold, Rows

__all__ = ["FirstModel", "rows_of_the_next"]

logger = logging.getLogger("automl")

_ROWS = 500
"""Rows to learn from, and as many to score on, about."""
_FEWEST_ROWS = 2_000
"""With fewer training rows the fold itself is a matter of moments."""
_SHARE = 0.25
"""Share of the time that is left, for one that has more rows."""
_SLOWER = 2.0
"""The factor by which the whole fold is assumed to need more than its rows suggest."""
_WORTH = 3
"""The multiple of the rows of the one before that is worth another fit."""


class FirstModel:
    """Fits models of parts of the first fold.

    Args:
        table: rows, split and target.
        target: the same target, with its classes.
        run: of the trial.
        view: the learner's.
        metrics: the primary one first.
        make: a fresh learner.
        progress: what its fit talks to.
    """

    def __init__(
        self,
        table: SplitTable,
        target: Target,
        run: Run,
        view: ViewChoice,
        metrics: tuple[Metric, ...],
        make: Callable[[], Learner],
        progress: Callable[[Matrices], FoldProgress],
    ) -> None:
        self._table, self._target = table, target
        self._run, self._view, self._metrics = run, view, metrics
        self._make, self._progress = make, progress
        self._fold: Fold = table.plan.folds[0]
        self._place = TrialDirectory(run.directory)

    def fit(self, kept: KeptFolds) -> None:
        """Fit, and note what comes of it; nothing where the fold itself is short, or its part cannot be learned."""
        available = len(self._fold.train)
        rows: int | None = _ROWS if available >= _FEWEST_ROWS else None
        while rows is not None and not self._run.should_stop:
            began = time.monotonic()
            try:
                self._fit(rows, kept)
            except Exception as error:  # what a few rows cannot do, all of them may
                logger.debug("A model of %d rows cannot be fitted: %s", rows, error)
                return
            rows = rows_of_the_next(rows, available, time.monotonic() - began, self._run.seconds_left)

    def _fit(self, rows: int, kept: KeptFolds) -> None:
        table, target = self._table, self._target
        train, valid = _some(self._fold.train, target, rows), _some(self._fold.valid, target, _ROWS)
        part = compute_matrices(table, train, valid, self._view)
        learner, began = self._make(), time.perf_counter()
        learner.fit(
            part.train,
            target.values[train],
            weight=None if table.weight is None else table.weight[train],
            categorical=part.features.categorical_indices_,
            valid=part.valid,
            progress=self._progress(part),
        )
        fitted = time.perf_counter()
        predictions = learner.predict(part.valid)
        predicted = time.perf_counter()
        weight = None if table.weight is None else table.weight[valid]
        scores = score_all(self._metrics, target.values[valid], predictions, positive=target.positive, weight=weight)
        value = scores[self._metrics[0].name]
        if not np.isfinite(value):
            return
        pipeline = FittedPipeline(part.features, learner, table.columns, target.classes, target.positive)
        latency = Latency(1)
        latency.measure(pipeline, table.X.take(valid[:1]))
        save_model(self._place, FIRST_MODEL, pipeline)
        outcome = Outcome(
            value=value,
            metrics={name: score for name, score in scores.items() if np.isfinite(score)},
            fold_scores=(value,),
            fit_seconds=part.fit_seconds + fitted - began,
            predict_seconds=part.transform_seconds + predicted - fitted,
            predict_latency=latency.seconds,
        )
        oof = OutOfFold(table.plan, target.n_classes)
        oof.add(0, predictions, valid)
        kept.first(outcome, oof, len(train) / len(self._fold.train))


def _some(rows: Rows, target: Target, count: int) -> Rows:
    """About `count` of `rows`, the same ones for every trial, with one of each class among them at least."""
    if len(rows) <= count:
        return rows
    chosen = rows[np.random.default_rng(0).permutation(len(rows))[:count]]
    if target.classes is not None:
        _, one_of_each = np.unique(target.values[rows], return_index=True)
        chosen = np.union1d(chosen, rows[one_of_each])
    return np.sort(chosen)


def rows_of_the_next(rows: int, available: int, took: float, left: float) -> int | None:
    """Return how many rows the next model should have; None where the whole fold is next.

    Args:
        rows: of the model before.
        available: of the fold.
        took: seconds, the model before.
        left: seconds until the trial is ended.
    """
    if _SLOWER * took * available / rows <= left:
        return None
    more = min(int(rows * _SHARE * left / max(took, 1e-9)), available // 2)
    return more if more >= _WORTH * rows else None

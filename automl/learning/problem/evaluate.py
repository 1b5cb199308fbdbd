"""The winner on rows that the search has never seen."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import numpy as np

from automl.engine.trial.contract import TrialResult
from automl.learning.problem.prepared import PreparedData
from automl.learning.training.kept_folds import Part

__all__ = ["preload_model", "score_test", "seconds_to_test"]

_MARGIN = 1.5
"""Workers end, and MLflow catches up, at the same time."""


def seconds_to_test(problem: PreparedData, winner: TrialResult) -> float | None:
    """Estimate the time of `score_test` from the validation rows: each fold's model predicts every test row."""
    test, part = problem.table.test, None if winner.partial is None else Part.read(winner.partial)
    if test is None:
        return None
    folds = len(problem.plan.folds) if part is None else part.folds
    validated = sum(fold.valid.size for fold in problem.plan.folds) if part is None else part.validated
    return _MARGIN * winner.predict_seconds / max(1, validated) * folds * test.n_rows


def preload_model(models: Path) -> None:
    """Load models in the background and forget them: their libraries, torch say, need seconds to be imported first."""

    def load() -> None:
        from automl.learning.ensemble.bag import load_bag

        with suppress(Exception):  # what is wrong with them is said where they are needed
            load_bag(models)

    threading.Thread(target=load, name="automl-rehearsal").start()


def score_test(problem: PreparedData, models: Path) -> dict[str, float]:
    """Every metric of the model below `models` on the test part; empty if there is none. Called once, at the end."""
    test, truth = problem.table.test, problem.test_values
    if test is None or truth is None:
        return {}
    from automl.learning.ensemble.bag import load_bag  # scikit-learn: not needed before the first trial

    target = problem.target
    model = load_bag(models)
    predicted = model.predict(test.X) if target.classes is None else model.predict_proba(test.X)
    scores = {
        metric.name: metric.with_classes(target.classes).score(
            truth, predicted, positive=target.positive, weight=test.weight
        )
        for metric in problem.metrics
    }
    return {name: float(value) for name, value in scores.items() if np.isfinite(value)}

"""The winner on rows that the search has never seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from automl.config.schema import ExperimentConfig
from automl.experiment.prepare import Problem

__all__ = ["score_test"]


def score_test(problem: Problem, config: ExperimentConfig, models: Path) -> dict[str, float]:
    """Every metric of the model below `models` on the test part; empty if there is none. Called once, at the end."""
    test, truth = problem.table.test, problem.test_values
    if test is None or truth is None:
        return {}
    from automl.ensemble.bag import load_bag  # scikit-learn: no business of the time before the first trial

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

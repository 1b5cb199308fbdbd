"""The steps of a trial that fits one model for each fold."""

from __future__ import annotations

from automl.engine.trial.steps import Steps

__all__ = ["PER_FOLD", "fold_steps"]

PER_FOLD = 100
"""A trial reports at ``fold * 100 + percent of the fold's work``: trials of all algorithms compare there."""


def fold_steps(folds: int) -> Steps:
    """The steps of a trial of `folds` folds."""
    return Steps(PER_FOLD * folds, part=PER_FOLD)

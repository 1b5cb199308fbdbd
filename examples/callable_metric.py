"""Optimise what a mistake costs: any function (y_true, y_pred) can be the metric, in the data's own labels."""

import numpy as np

import automl


def benefit(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Per patient, larger is better: a missed tumour costs ten times as much as a false alarm."""
    missed = (y_true == "malignant") & (y_pred == "benign")
    alarms = (y_true == "benign") & (y_pred == "malignant")
    return -float(np.mean(10 * missed + alarms))


result = automl.fit(
    task="classification",
    data={"source": "breast_cancer", "positive_label": "malignant"},
    metric=[benefit, "recall"],  # the first decides; every trial logs the others, and all of automl's own
    time_budget="50s",
    max_trials=12,
    validation={"strategy": "kfold", "folds": 5},
    search={"algorithms": {"allow": ["logistic_regression", "lda", "lightgbm"]}},
)
print(result)
print(result.trials()[["trial", "algorithm", "metrics.benefit", "metrics.recall"]].head())

"""Tables of trials."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.trial.contract import Status, TrialResult, read_result
from automl.workspace.layout import ExperimentDirectory

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["leaderboard", "read_trials", "trial_table"]


def read_trials(directory: ExperimentDirectory) -> list[TrialResult]:
    """Every trial that has ended, by number."""
    found = (read_result(directory.trial(number)) for number in directory.trial_numbers())
    return [result for result in found if result is not None]


def leaderboard(results: Iterable[TrialResult], *, maximize: bool) -> pd.DataFrame:
    """Completed trials from best to worst, then the others.

    Returns:
        Columns: rank (1 for the best, <NA> for a trial that did not complete), trial, algorithm, score, spread
        (standard deviation over folds), fit_seconds, predict_seconds, size (bytes of the models), status.
    """
    import pandas as pd

    ranked = sorted(results, key=lambda result: _order(result, maximize))
    rows = [
        {
            "rank": rank if result.status is Status.COMPLETED else pd.NA,
            "trial": result.number,
            "algorithm": result.algorithm,
            "score": result.value,
            "spread": float(np.std(result.fold_scores)) if len(result.fold_scores) > 1 else np.nan,
            "fit_seconds": result.fit_seconds,
            "predict_seconds": result.predict_seconds,
            "size": result.model_size,
            "status": result.status.value,
        }
        for rank, result in enumerate(ranked, start=1)
    ]
    columns = ["rank", "trial", "algorithm", "score", "spread", "fit_seconds", "predict_seconds", "size", "status"]
    return pd.DataFrame(rows, columns=columns).astype({"rank": "Int64", "score": "float64"})


def _order(result: TrialResult, maximize: bool) -> tuple[int, float, int]:
    if result.status is not Status.COMPLETED or result.value is None:
        return (1, 0.0, result.number)
    return (0, -result.value if maximize else result.value, result.number)


def trial_table(directory: ExperimentDirectory, results: Iterable[TrialResult]) -> pd.DataFrame:
    """One row per trial with everything: status, every metric, every parameter (``params.*``), and the failure."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for result in results:
        row: dict[str, Any] = {
            "trial": result.number,
            "attempt": result.attempt,
            "algorithm": result.algorithm,
            "status": result.status.value,
            "value": result.value,
            "seconds": result.seconds,
            "peak_memory": result.peak_memory,
            "failure": f"{result.failure.kind}: {result.failure.message}" if result.failure else None,
        }
        row |= {f"metrics.{name}": value for name, value in result.metrics.items()}
        row |= {f"params.{name}": value for name, value in read_params(directory, result.number).items()}
        rows.append(row)
    return pd.DataFrame(rows)


def read_params(directory: ExperimentDirectory, number: int) -> dict[str, Any]:
    """The hyperparameters of a trial, with their real values."""
    try:
        return dict(json.loads(directory.trial(number).params.read_text())["params"])
    except (OSError, ValueError, KeyError):
        return {}

"""Tables of trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.partial import read_note
from automl.engine.trial.records import read_params, read_result
from automl.engine.workspace.layout import ExperimentDirectory, TrialDirectory
from automl.experiment.results.objectives import Objectives
from automl.experiment.results.pareto_front import criteria_of, pareto_front

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["has_model", "leaderboard", "read_trials", "trial_table"]

_COLUMNS = (
    "rank", "trial", "algorithm", "score", "progress", "spread", "fit_seconds", "predict_seconds", "latency", "size",
    "front",
)  # fmt: skip


def read_trials(directory: ExperimentDirectory) -> list[TrialResult]:
    """Every trial that has ended, by number."""
    found = (read_result(directory.trial(number)) for number in directory.trial_numbers())
    return [result for result in found if result is not None]


def has_model(directory: ExperimentDirectory) -> bool:
    """Tell whether there is something to deliver: a whole trial, or what the clock, or a kill, has left of one."""
    return any(map(_has_left_a_model, map(directory.trial, directory.trial_numbers())))


def _has_left_a_model(trial: TrialDirectory) -> bool:
    result = read_result(trial)
    return read_note(trial) is not None if result is None else result.is_whole or result.is_partial


def leaderboard(results: Iterable[TrialResult], objectives: Objectives) -> pd.DataFrame:
    """List what may win from best to worst, then completed trials over a limit on models, then the others.

    Returns:
        Columns: rank (1 for the best, <NA> for a trial that cannot be the best), trial, algorithm, score, one for each
        further metric that was asked for, progress (share of the full work that the score is of: 1 for what may win,
        NaN where it is unknown), spread (standard deviation over folds), fit_seconds, predict_seconds (of all
        validation rows), latency (seconds to predict one row), size (bytes of the models), front (on the Pareto front
        of scores, latency and size), over_limit (names of the limits that it does not keep; only where the experiment
        has limits on models), status.
    """
    import pandas as pd

    listed = list(results)
    limits = objectives.limits
    front = {result.number for result in pareto_front(listed, criteria_of(objectives))}
    ranked = sorted(listed, key=lambda result: _order(result, objectives))
    rows = []
    for rank, result in enumerate(ranked, start=1):
        over = ", ".join(limits.exceeded(result)) if result.is_whole else ""
        rows.append(
            {
                "rank": rank if result.is_whole and not over else pd.NA,
                "trial": result.number,
                "algorithm": result.algorithm,
                "score": result.value,
                **{name: result.metrics.get(name, np.nan) for name in objectives.others},
                "progress": _progress(result),
                "spread": float(np.std(result.fold_scores)) if len(result.fold_scores) > 1 else np.nan,
                "fit_seconds": result.fit_seconds,
                "predict_seconds": result.predict_seconds,
                "latency": np.nan if result.predict_latency is None else result.predict_latency,
                "size": result.model_size,
                "front": result.number in front,
                **({"over_limit": over} if limits else {}),
                "status": result.status.value,
            }
        )
    optional = ["over_limit"] if limits else []
    columns = [*_COLUMNS[:4], *objectives.others, *_COLUMNS[4:], *optional, "status"]
    return pd.DataFrame(rows, columns=columns).astype({"rank": "Int64", "score": "float64"})


def _progress(result: TrialResult) -> float:
    """Share of the full work that a score is of: of the folds and rounds, and of the fidelity that they were run at."""
    if result.value is None:
        return float("nan")
    if result.status is Status.COMPLETED or result.partial is not None:
        return result.share
    return float("nan") if result.progress is None else result.fidelity * result.progress


def _order(result: TrialResult, objectives: Objectives) -> tuple[int, float, int]:
    if result.value is None or not (result.is_whole or result.is_partial):
        return (3, 0.0, result.number)
    group = 2 if not result.is_whole else 0 if objectives.limits.allow(result) else 1
    return (group, objectives.primary.loss(result.value), result.number)


def trial_table(directory: ExperimentDirectory, results: Iterable[TrialResult]) -> pd.DataFrame:
    """One row per trial with everything: status, every metric, every parameter (``params.*``), and the failure."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for result in results:
        row: dict[str, Any] = {
            "trial": result.number,
            "attempt": result.attempt,
            "algorithm": result.algorithm,
            "fidelity": result.fidelity,
            "parent": result.parent,
            "status": result.status.value,
            "value": result.value,
            "seconds": result.seconds,
            "peak_memory": result.peak_memory,
            "gpu_memory": result.gpu_memory,
            "gpu_utilization": result.gpu_utilization,
            "failure": f"{result.failure.kind}: {result.failure.message}" if result.failure else None,
        }
        row |= {f"metrics.{name}": value for name, value in result.metrics.items()}
        params = read_params(directory.trial(result.number))
        row |= {f"params.{name}": value for name, value in params.items()}
        rows.append(row)
    return pd.DataFrame(rows)

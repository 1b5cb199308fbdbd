"""The trials that no other trial beats on every count: the Pareto front over score, latency and size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from automl.engine.trial.contract import TrialResult
from automl.engine.trial.objective import Objective
from automl.experiment.results.objectives import Objectives

__all__ = ["Criterion", "criteria_of", "non_dominated", "pareto_front"]


@dataclass(frozen=True)
class Criterion:
    """One thing that a model should be good at.

    Attributes:
        name: a metric's, ``predict_latency`` or ``model_size``.
        loss: of a trial; smaller is better, inf or nan where it is unknown.
    """

    name: str
    loss: Callable[[TrialResult], float]


def criteria_of(objectives: Objectives) -> tuple[Criterion, ...]:
    """The metrics that were asked for, seconds to predict one row, and bytes of the model."""
    return (
        *map(_score, objectives.all),
        Criterion("predict_latency", lambda result: _known(result.predict_latency)),
        Criterion("model_size", lambda result: float(result.model_size)),
    )


def _score(objective: Objective) -> Criterion:
    worst = -objective.sign * math.inf
    return Criterion(objective.name, lambda result: objective.loss(result.metrics.get(objective.name, worst)))


def _known(value: float | None) -> float:
    return math.inf if value is None else value


def pareto_front(results: Sequence[TrialResult], criteria: Sequence[Criterion]) -> list[TrialResult]:
    """Completed trials of full fidelity that are on the front, in the order of `results`."""
    whole = [result for result in results if result.is_whole]
    losses = np.array([[criterion.loss(result) for criterion in criteria] for result in whole], dtype=np.float64)
    on_front = non_dominated(losses.reshape(len(whole), len(criteria)))
    return [result for result, kept in zip(whole, on_front, strict=True) if kept]


def non_dominated(losses: np.ndarray) -> np.ndarray:
    """Mark the points that no other point dominates.

    A point dominates another if it is nowhere worse and somewhere better. Equal points do not dominate each other:
    all of them stay, or none.

    The points are taken in lexicographic order, in which each can be dominated by earlier ones only; each that is
    still there is on the front, and removes what it dominates. That is one vectorised pass for each point of the
    front: O(n f) for n points, f of them on the front, after a sort of O(n log n).

    Args:
        losses: (n, d); smaller is better, nan is worse than everything.

    Returns:
        bool (n,).
    """
    losses = np.where(np.isnan(losses), np.inf, losses)
    left = np.lexsort(losses.T[::-1]) if losses.size else np.arange(len(losses))
    front = np.zeros(len(losses), dtype=bool)
    while left.size:
        point = losses[left[0]]
        rest = losses[left]
        equal = (rest == point).all(axis=1)
        front[left[equal]] = True
        left = left[~equal & (rest < point).any(axis=1)]
    return front

"""A description of what a search would do, as plain data: for ``automl plan``."""

from __future__ import annotations

import math
from typing import Any

from automl.config.schema import ExperimentConfig
from automl.engine.search.problem import Problem
from automl.engine.space.space import AlgorithmSpace

__all__ = ["describe_plan"]


def describe_plan(config: ExperimentConfig, problem: Problem) -> dict[str, Any]:
    """Describe what a search would do.

    Args:
        config: with the experiment's name.
    """
    return {
        "experiment": config.experiment,
        "task": problem.task,
        **problem.describe(),
        "metric": {"name": problem.objective.name, "goal": problem.objective.goal},
        "algorithms": [_algorithm(name, space) for name, space in problem.space.algorithms.items()],
        "left out": [{"algorithm": e.algorithm, "reason": e.reason} for e in problem.exclusions],
        **({"warm start": config.search.warm_start} if config.search.warm_start else {}),
        "portfolio": len(problem.space.portfolio),
        "space size": _size(problem),
        "sampler": config.search.sampler.name,
        "pruner": config.search.pruner.name,
        "pick": config.search.pick,
        "limits": {key: value for key, value in config.limits.model_dump().items() if value is not None},
    }


def _algorithm(name: str, space: AlgorithmSpace) -> dict[str, Any]:
    size = space.size()
    return {
        "algorithm": name,
        "estimator": space.estimator,
        "parameters": len(space.params),
        "configurations": "infinite" if size is None else size,
        "cost": space.cost,
    }


def _size(problem: Problem) -> int | str:
    sizes = [space.size() for space in problem.space.algorithms.values()]
    total = sum(math.inf if size is None else size for size in sizes)
    return "infinite" if math.isinf(total) else int(total)

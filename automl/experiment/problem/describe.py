"""A description of what a search would do, as plain data: for ``automl plan``."""

from __future__ import annotations

import math
from typing import Any

from automl.config.schema import ExperimentConfig
from automl.engine.space.space import AlgorithmSpace
from automl.experiment.problem.prepare import Problem
from automl.learning.data.kinds import ImageColumn
from automl.learning.data.table import Table

__all__ = ["describe_plan"]


def describe_plan(config: ExperimentConfig, problem: Problem) -> dict[str, Any]:
    """Describe what a search would do."""
    table, target = problem.table, problem.target
    return {
        "experiment": config.experiment or table.name,
        "task": problem.task.name,
        "data": {
            "name": table.name,
            "rows": table.n_rows,
            "target": table.target,
            "classes": None if target.classes is None else [str(label) for label in target.classes],
            **_pictures(table),
            "columns": [
                {"name": c.name, "kind": str(c.kind), "missing": c.missing, "unique": c.unique} for c in table.columns
            ],
            "test rows": 0 if table.test is None else table.test.n_rows,
        },
        "validation": problem.plan.description,
        "metric": {"name": problem.primary.name, "goal": problem.objective.goal},
        "guardrails": [
            {"name": g.name, "verdict": str(g.verdict), "message": g.message, "columns": list(g.columns)}
            for g in problem.guardrails
        ],
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


def _pictures(table: Table) -> dict[str, str]:
    """Describe what the rows look like, where they are pictures."""
    column = table.columns[0]
    if not isinstance(column, ImageColumn):
        return {}
    colour = "grey" if column.channels == 1 else "in colour"
    return {"pictures": f"{table.n_rows:,} of {column.height} x {column.width}, {colour}"}


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

"""The data of a learning problem, its split and what was found out about it, as plain data: for ``automl plan``."""

from __future__ import annotations

from typing import Any

from automl.learning.data.form import form_for
from automl.learning.problem.prepared import PreparedData

__all__ = ["describe"]


def describe(problem: PreparedData) -> dict[str, Any]:
    """Describe all but the space."""
    table, target = problem.table, problem.target
    return {
        "data": {
            "name": table.name,
            "rows": table.n_rows,
            "target": table.target,
            "classes": None if target.classes is None else [str(label) for label in target.classes],
            **form_for(table.columns).describe(table.columns, table.n_rows),
            "columns": [
                {"name": c.name, "kind": str(c.kind), "missing": c.missing, "unique": c.unique} for c in table.columns
            ],
            "test rows": 0 if table.test is None else table.test.n_rows,
        },
        "validation": problem.plan.description,
        "guardrails": [guardrail.as_json() for guardrail in problem.guardrails],
    }

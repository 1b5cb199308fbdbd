"""All exit criteria: the modules of this folder, and what installed plugins bring."""

from __future__ import annotations

from functools import cache
from typing import Any

from automl.engine import stopping as exits
from automl.engine.plugins.discovery import discover
from automl.engine.stopping.base import ExitCriterion

__all__ = ["ENTRY_POINTS", "criteria_of", "exit_criteria"]

ENTRY_POINTS = "automl.exit_criteria"


@cache
def exit_criteria() -> tuple[type[ExitCriterion], ...]:
    """Every known exit criterion, in the order in which they are checked: by module name, plugins last."""
    return discover(exits, ExitCriterion, group=ENTRY_POINTS)  # type: ignore[type-abstract]


def criteria_of(limits: Any) -> tuple[ExitCriterion, ...]:
    """The exit criteria that `limits` declares, ready to be checked."""
    declared = (criterion.from_limits(limits) for criterion in exit_criteria())
    return tuple(criterion for criterion in declared if criterion is not None)

"""Let every trial run to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automl.engine.pruners.base import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

    from automl.engine.trial.steps import Steps

__all__ = ["NoPruning"]


class NoPruning(Pruner):
    name = "none"

    def make(self, steps: Steps | None = None) -> BasePruner:
        from optuna.pruners import NopPruner

        return NopPruner()

    def due(self, reports: int) -> bool:
        return False

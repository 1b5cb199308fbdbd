"""What a pruner is to the search."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from automl.options import Options

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["Pruner", "PrunerSettings", "values_at"]


class PrunerSettings(Options):
    """What all pruners share; both count the reports of a trial."""

    evaluation_interval: int = Field(default=1, ge=1, description="judge every so many reports")
    delay_evaluation: int = Field(default=0, ge=0, description="reports of a trial that are never judged")


class Pruner(ABC):
    """A name that users write below ``search.pruner``, and the Optuna pruner behind it.

    Attributes:
        name: how users call it.
        Settings: its options.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[Options]] = PrunerSettings

    def __init__(self, settings: Options) -> None:
        assert isinstance(settings, PrunerSettings)
        self.settings = settings

    @abstractmethod
    def make(self) -> BasePruner:
        """The Optuna pruner. It is asked after each report that is due."""

    def due(self, reports: int) -> bool:
        """Whether a trial is judged after its `reports`-th report, counted from 1."""
        after = reports - self.settings.delay_evaluation
        return after > 0 and after % self.settings.evaluation_interval == 0


def values_at(study: Study, trial: FrozenTrial, step: int) -> list[float]:
    """What the other trials of `study`, running and ended, reported at `step`; without nan."""
    found = (
        other.intermediate_values.get(step, math.nan)
        for other in study.get_trials(deepcopy=False)
        if other.number != trial.number
    )
    return [value for value in found if not math.isnan(value)]

"""What a pruner is to the search."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from automl.options import Options
from automl.trial.contract import STEPS_PER_FOLD

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["Pruner", "PrunerSettings", "first_rung", "is_rival", "values_at"]


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
    def make(self, steps: int | None = None) -> BasePruner:
        """The Optuna pruner. It is asked after each report that is due.

        Args:
            steps: the last step of a whole trial; None if trials do not say.
        """

    def due(self, reports: int) -> bool:
        """Whether a trial is judged after its `reports`-th report, counted from 1."""
        after = reports - self.settings.delay_evaluation
        return after > 0 and after % self.settings.evaluation_interval == 0


def first_rung(steps: int | None, factor: int) -> int:
    """The step of successive halving's first rung where the user names none.

    The end of the first fold; where that is the end of the trial, a step of the fit with room for two rungs; and the
    first report of all, if nobody knows how long a trial is.
    """
    if steps is None:
        return 1
    return STEPS_PER_FOLD if steps > STEPS_PER_FOLD else max(1, steps // factor**2)


def values_at(study: Study, trial: FrozenTrial, step: int) -> list[float]:
    """What the other trials of `study`, running and ended, reported at `step`; without nan."""
    found = (
        other.intermediate_values.get(step, math.nan)
        for other in study.get_trials(deepcopy=False)
        if other.number != trial.number and is_rival(other)
    )
    return [value for value in found if not math.isnan(value)]


def is_rival(trial: FrozenTrial) -> bool:
    """Whether others are measured against `trial`: it does the full work, and what it leaves may win."""
    attributes = trial.user_attrs
    return bool(attributes.get("fidelity", 1.0) == 1.0 and attributes.get("eligible", True))

"""The interface of a pruner to the search."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, ClassVar, cast

from optuna.pruners import BasePruner
from pydantic import Field

from automl.engine.trial.stage import Stage
from automl.engine.trial.steps import Steps
from automl.options import Options

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, TrialState

__all__ = ["Pruner", "PrunerSettings", "RememberingPruner", "among", "first_rung", "is_rival", "stage_of", "values_at"]


class PrunerSettings(Options):
    """Settings that all pruners share; both count the reports of a trial."""

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
    def make(self, steps: Steps | None = None) -> BasePruner:
        """The Optuna pruner. It is asked after each report that is due.

        Args:
            steps: those of a whole trial; None if trials do not say.
        """

    def due(self, reports: int) -> bool:
        """Tell whether a trial is judged after its `reports`-th report, counted from 1."""
        after = reports - self.settings.delay_evaluation
        return after > 0 and after % self.settings.evaluation_interval == 0


class RememberingPruner(BasePruner):
    """An Optuna pruner that is told once of each trial that others are measured against.

    It keeps what it needs of them, in order, so a report costs no walk over all trials.
    """

    @abstractmethod
    def completed(self, trial: FrozenTrial) -> None:
        """A rival (see `is_rival`) has completed, in this session or an earlier one."""


def first_rung(steps: Steps | None, factor: int) -> int:
    """The first step at which successive halving compares trials: the first report of all where steps are unknown."""
    return 1 if steps is None else steps.first_rung(factor)


def among(study: Study, holds: Callable[[FrozenTrial], bool]) -> Study:
    """`study` with no other trials than those for which `holds` is true, as an Optuna pruner sees it."""
    return cast("Study", _Part(study, holds))


class _Part:
    def __init__(self, study: Study, holds: Callable[[FrozenTrial], bool]) -> None:
        self._whole, self._holds = study, holds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        return [trial for trial in self._whole.get_trials(deepcopy, states) if self._holds(trial)]


def values_at(study: Study, trial: FrozenTrial, step: int) -> list[float]:
    """List what the other trials of `study`, running and ended, reported at `step`; without nan."""
    found = (
        other.intermediate_values.get(step, math.nan)
        for other in study.get_trials(deepcopy=False)
        if other.number != trial.number and is_rival(other)
    )
    return [value for value in found if not math.isnan(value)]


def stage_of(trial: FrozenTrial) -> Stage | None:
    """The part of its search that `trial` belongs to, as the journal has it."""
    return Stage.read(trial.user_attrs.get("stage"))


def is_rival(trial: FrozenTrial) -> bool:
    """Tell whether others of its group are measured against `trial`: it does the full work, and its model may win."""
    attributes, stage = trial.user_attrs, stage_of(trial)
    if stage is not None and stage.final:
        return False
    return bool(attributes.get("fidelity", 1.0) == 1.0 and attributes.get("eligible", True))

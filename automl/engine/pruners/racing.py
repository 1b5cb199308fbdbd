"""Stop what can no longer become the best, judged by how far other trials came from the same point."""

from __future__ import annotations

import math
from array import array
from bisect import insort
from collections import defaultdict
from typing import TYPE_CHECKING

from optuna.study import StudyDirection
from pydantic import Field

from automl.engine.pruners.base import Pruner, PrunerSettings, RememberingPruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from automl.engine.trial.steps import Steps

__all__ = ["Racing"]


class RacingSettings(PrunerSettings):
    n_startup_trials: int = Field(
        default=3,
        ge=1,
        description="trials that must have come from the end of a fold to their own before any is stopped there",
    )
    n_startup_trials_inside: int = Field(
        default=4, ge=1, description="the same inside a fold, where learners of different kinds compare less well"
    )
    quantile: float = Field(
        default=0.95, gt=0, le=1, description="how lucky a trial is given credit for being: 1 for the luckiest so far"
    )
    keep: int = Field(default=1, ge=1, description="let a trial continue while it could be among the best so many")


class Racing(Pruner):
    """Predictive termination, with the predictions of a race.

    A trial is stopped when it would end behind the best completed one even if it gained as much from here to its end as
    the luckiest of the completed trials did: the termination criterion of Domhan, Springenberg & Hutter (2015, IJCAI),
    who extrapolate parametric curves. Here the gains of other trials between the same two steps take its place. All of
    them do the same parts, so what is easy or hard about a part is in everyone's gain and cancels, which makes the
    comparison as sharp as the paired tests of racing (Maron & Moore 1994, NIPS; Birattari et al. 2002, GECCO). The
    margin follows from the metric, and shrinks towards the end by itself: it is wide after the first few reports, and
    narrow after the fourth of five parts.
    """

    name = "racing"
    Settings = RacingSettings

    def make(self, steps: Steps | None = None) -> BasePruner:
        assert isinstance(self.settings, RacingSettings)
        return _RacingPruner(self.settings, steps)


class _RacingPruner(RememberingPruner):
    def __init__(self, settings: RacingSettings, steps: Steps | None) -> None:
        self._settings, self._steps = settings, steps
        self._finals = array("d")  # ascending
        self._gains: dict[int, _Gains] = defaultdict(_Gains)  # by step

    def completed(self, trial: FrozenTrial) -> None:
        assert trial.value is not None
        insort(self._finals, trial.value)
        for step, value in trial.intermediate_values.items():
            if math.isfinite(value):
                self._gains[step].add(value, trial.value)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        step = trial.last_step
        if step is None:
            return False
        value = trial.intermediate_values[step]
        if math.isnan(value):
            return True
        settings, gains = self._settings, self._gains.get(step)
        inside = self._steps is not None and self._steps.inside(step)
        fewest = settings.n_startup_trials_inside if inside else settings.n_startup_trials
        if gains is None or gains.count < fewest or len(self._finals) < settings.keep:
            return False
        luckiest = math.ceil(settings.quantile * gains.count)  # of few, the last of all
        if study.direction == StudyDirection.MAXIMIZE:
            return value + gains.differences[luckiest - 1] < self._finals[-settings.keep]
        goal = self._finals[settings.keep - 1]
        if min(value, self._finals[0], gains.least) > 0:
            return math.log(value) + gains.ratios[-luckiest] > math.log(goal)
        return value + gains.differences[-luckiest] > goal


class _Gains:
    """The gains of completed trials: what they added to their score from one step to their end.

    The noise of a score grows with the size of an error, so errors compare by their ratio where all of them are
    positive.

    Attributes:
        least: the smallest score at the step.
        differences: end minus score at the step, ascending.
        ratios: the same of the logarithms. Only of use while all scores are positive, and complete then.
    """

    def __init__(self) -> None:
        self.least = math.inf
        self.differences, self.ratios = array("d"), array("d")

    @property
    def count(self) -> int:
        return len(self.differences)

    def add(self, then: float, end: float) -> None:
        self.least = min(self.least, then)
        insort(self.differences, end - then)
        if then > 0 and end > 0:
            insort(self.ratios, math.log(end) - math.log(then))

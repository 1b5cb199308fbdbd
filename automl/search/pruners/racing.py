"""Stop what could not become the best any more, judged by how far other trials came from the same point."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from optuna.trial import TrialState
from pydantic import Field

from automl.search.pruners.base import Pruner, PrunerSettings, is_rival
from automl.trial.contract import STEPS_PER_FOLD

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

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
    keep: int = Field(default=1, ge=1, description="let a trial go on while it could be among the best so many")


class Racing(Pruner):
    """Predictive termination, with the predictions of a race.

    A trial is stopped when it would end behind the best completed one even if it gained as much from here to its end as
    the luckiest of the completed trials did: the termination criterion of Domhan, Springenberg & Hutter (2015, IJCAI),
    who extrapolate parametric curves. Here the gains of other trials between the same two steps take its place. All of
    them see the same folds, so what is easy or hard about a fold is in everyone's gain and cancels, which makes the
    comparison as sharp as the paired tests of racing (Maron & Moore 1994, NIPS; Birattari et al. 2002, GECCO). The
    margin follows from the metric, and shrinks towards the end by itself: it is wide after a few rounds of a booster,
    and narrow after the fourth of five folds.
    """

    name = "racing"
    Settings = RacingSettings

    def make(self, steps: int | None = None) -> BasePruner:
        assert isinstance(self.settings, RacingSettings)
        return _RacingPruner(self.settings)


class _RacingPruner(BasePruner):
    def __init__(self, settings: RacingSettings) -> None:
        self._settings = settings

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        step = trial.last_step
        if step is None:
            return False
        if math.isnan(trial.intermediate_values[step]):
            return True
        others = [
            (other.value, other.intermediate_values.get(step, math.nan))
            for other in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            if other.value is not None and is_rival(other)
        ]
        return self._is_hopeless(
            trial.intermediate_values[step],
            [pair for pair in others if not math.isnan(pair[1])],
            [final for final, _ in others],
            inside=step % STEPS_PER_FOLD != 0,
            maximize=study.direction == StudyDirection.MAXIMIZE,
        )

    def _is_hopeless(
        self,
        value: float,
        runs: Sequence[tuple[float, float]],
        finals: Sequence[float],
        *,
        inside: bool,
        maximize: bool,
    ) -> bool:
        """Whether `value` is too far behind, given what others ended with, and (end, value at this step) of some."""
        settings = self._settings
        fewest = settings.n_startup_trials_inside if inside else settings.n_startup_trials
        if len(runs) < fewest or len(finals) < settings.keep:
            return False
        worth = _worth([value, *finals, *(then for _, then in runs)], maximize=maximize)
        goal = sorted(map(worth, finals), reverse=True)[settings.keep - 1]
        gains = [worth(end) - worth(then) for end, then in runs]
        return worth(value) + _quantile(gains, settings.quantile) < goal


def _worth(values: Sequence[float], *, maximize: bool) -> Callable[[float], float]:
    """What makes scores comparable by their differences; larger is better.

    The folds' noise goes with the size of an error, so errors compare by their ratio where all `values` are positive.
    """
    if maximize:
        return lambda value: value
    if min(values) > 0:
        return lambda value: -math.log(value)
    return lambda value: -value


def _quantile(gains: Sequence[float], share: float) -> float:
    """The smallest of `gains` that a `share` of them does not exceed: of few, the largest."""
    return sorted(gains)[math.ceil(share * len(gains)) - 1]

"""Judges of running trials, one for each league: trials compare within a league."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.trial import TrialState

from automl.engine.pruners.base import Pruner, RememberingPruner, among, is_rival
from automl.engine.trial.stage import Stage

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["PruningGroups"]


class PruningGroups:
    """A pruner for each league.

    Fits that last as long as they are given (`automl.engine.proposers.time_allocation`) meet those that were given as
    much: half-way through its schedule a net tells little beside a booster, or beside a net with twice its time. A
    final training meets none, nor does a part of a trial, whose values are those of a smaller task.

    Args:
        pruner: what the user chose.
        steps: the last step of a whole trial; None if trials do not say.
    """

    def __init__(self, pruner: Pruner, steps: int | None) -> None:
        self._pruner, self._steps = pruner, steps
        self._by_league: dict[float | None, BasePruner] = {}

    def remember(self, trial: FrozenTrial) -> None:
        """Note that a trial has ended, in this session or an earlier one."""
        if trial.state is TrialState.COMPLETE and is_rival(trial):
            judge = self._of(trial)
            if isinstance(judge, RememberingPruner):
                judge.completed(trial)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Tell whether to stop `trial`, which has just reported."""
        stage = Stage.of(trial.user_attrs.get("notes", {}))
        if trial.user_attrs.get("fidelity", 1.0) < 1.0 or (stage is not None and stage.final):
            return False
        league = _league(trial)
        return bool(self._of(trial).prune(among(study, lambda other: _league(other) == league), trial))

    def _of(self, trial: FrozenTrial) -> BasePruner:
        league = _league(trial)
        if league not in self._by_league:
            self._by_league[league] = self._pruner.make(self._steps)
        return self._by_league[league]


def _league(trial: FrozenTrial) -> float | None:
    """Seconds that were allotted to a fit that stretches; None for all others."""
    stage = Stage.of(trial.user_attrs.get("notes", {}))
    return None if stage is None else stage.seconds

"""The pruner of each group of running trials: trials compare within their group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.trial import TrialState

from automl.engine.pruners.base import Pruner, RememberingPruner, among, is_rival, stage_of

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from automl.engine.trial.steps import Steps

__all__ = ["PruningGroups"]


class PruningGroups:
    """A pruner for each group of trials that compare.

    Fits that last as long as they are given (`automl.engine.proposers.time_allocation`) meet those that were given as
    much: half-way through its schedule a net tells little beside a booster, or beside a net with twice its time. A
    final training meets none, nor does a part of a trial, whose values are those of a smaller task.

    Args:
        pruner: what the user chose.
        steps: those of a whole trial; None if trials do not say.
    """

    def __init__(self, pruner: Pruner, steps: Steps | None) -> None:
        self._pruner, self._steps = pruner, steps
        self._by_group: dict[float | None, BasePruner] = {}

    def remember(self, trial: FrozenTrial) -> None:
        """Note that a trial has ended, in this session or an earlier one."""
        if trial.state is TrialState.COMPLETE and is_rival(trial):
            pruner = self._of(trial)
            if isinstance(pruner, RememberingPruner):
                pruner.completed(trial)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Tell whether to stop `trial`, which has just reported."""
        stage = stage_of(trial)
        if trial.user_attrs.get("fidelity", 1.0) < 1.0 or (stage is not None and stage.final):
            return False
        group = _group(trial)
        return bool(self._of(trial).prune(among(study, lambda other: _group(other) == group), trial))

    def _of(self, trial: FrozenTrial) -> BasePruner:
        group = _group(trial)
        if group not in self._by_group:
            self._by_group[group] = self._pruner.make(self._steps)
        return self._by_group[group]


def _group(trial: FrozenTrial) -> float | None:
    """Seconds that were allotted to the fit of an anytime algorithm; None for all others."""
    stage = stage_of(trial)
    return None if stage is None else stage.seconds

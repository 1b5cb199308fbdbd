"""The durable study: an Optuna study on the journal, written by the driver alone, one commit per turn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from automl.engine.pruners.base import Pruner
from automl.engine.pruners.groups import PruningGroups
from automl.engine.study.journal import GroupCommitBackend
from automl.engine.study.storage import StudyStorage
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.stage import Stage
from automl.engine.trial.steps import Steps
from automl.errors import WorkspaceError

__all__ = ["History", "Record", "maximizes", "state_of"]

_STUDY = "automl"
_STATES = {Status.COMPLETED: TrialState.COMPLETE, Status.PRUNED: TrialState.PRUNED}


def state_of(status: Status) -> TrialState:
    """Return Optuna's state for a status: everything but success and pruning is a failure to it."""
    return _STATES.get(status, TrialState.FAIL)


@dataclass(frozen=True, slots=True)
class Record:
    """A proposed trial, as the journal has it.

    Attributes:
        suggested: parameters as Optuna knows them: prefixed by the algorithm, before any mapping to real values.
        elapsed: the experiment's clock, in seconds, when it was proposed.
        parent: the trial it continues from.
        fidelity: share of the full work, in (0, 1].
        stage: the part of its search that it belongs to.
        notes: what its proposer says of it.
    """

    number: int
    algorithm: str
    suggested: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    state: TrialState
    value: float | None
    elapsed: float
    parent: int | None = None
    fidelity: float = 1.0
    stage: Stage | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


def maximizes(path: Path) -> bool:
    """The direction of the study whose journal is at `path`; it is only read.

    Raises:
        WorkspaceError: there is none, or it cannot be read.
    """
    if not path.exists():
        raise WorkspaceError(f"{path} is missing, so what was searched for is unknown.")
    try:
        study = optuna.load_study(study_name=_STUDY, storage=JournalStorage(JournalFileBackend(str(path))))
    except (OSError, KeyError, ValueError) as error:
        raise WorkspaceError(f"{path} cannot be read: {error}.") from error
    return study.direction == StudyDirection.MAXIMIZE


class History:
    """Everything that was proposed, reported and told.

    Args:
        path: the journal's file, created if missing.
        objective: the primary metric.
        pruner: who judges intermediate values.
        steps: those of a whole trial, None if trials do not say. At its last nothing is left to save, so it is not
            judged.
    """

    def __init__(self, path: Path, *, objective: Objective, pruner: Pruner, steps: Steps | None = None) -> None:
        self._backend = GroupCommitBackend(path)
        self._storage = StudyStorage(self._backend)
        optuna.logging.get_logger("optuna.storages.journal").setLevel(optuna.logging.WARNING)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=_STUDY,
                direction=objective.goal,
                pruner=optuna.pruners.NopPruner(),
                sampler=optuna.samplers.RandomSampler(seed=0),
                load_if_exists=True,
            )
        finally:
            optuna.logging.set_verbosity(verbosity)
        self._id = self._storage.get_study_id_from_name(_STUDY)
        self._pruner, self._steps = pruner, steps
        self._judges = PruningGroups(pruner, steps)
        self._reports: dict[int, int] = {}
        self._count = len(self._trials())
        for trial in self._trials():
            self._judges.remember(trial)
        self._backend.commit()

    @property
    def count(self) -> int:
        """The count of numbers that have been given out; the next number."""
        return self._count

    def records(self) -> list[Record]:
        """All proposed trials, by number."""
        return [
            Record(
                number=trial.number,
                algorithm=trial.user_attrs["algorithm"],
                suggested=trial.params,
                distributions=trial.distributions,
                state=trial.state,
                value=trial.value,
                elapsed=trial.user_attrs.get("elapsed", 0.0),
                parent=trial.user_attrs.get("parent"),
                fidelity=trial.user_attrs.get("fidelity", 1.0),
                stage=Stage.read(trial.user_attrs.get("stage")),
                notes=trial.user_attrs.get("notes", {}),
            )
            for trial in self._trials()
        ]

    def add(
        self,
        algorithm: str,
        suggested: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
        *,
        elapsed: float,
        parent: int | None = None,
        fidelity: float = 1.0,
        stage: Stage | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> int:
        """Record a proposal and give it the next number. It is durable after `commit`."""
        attributes: dict[str, Any] = {"algorithm": algorithm, "elapsed": round(elapsed, 3)}
        if parent is not None:
            attributes["parent"] = parent
        if fidelity != 1.0:
            attributes["fidelity"] = fidelity
        if stage is not None:
            attributes["stage"] = stage.as_json()
        if notes:
            attributes["notes"] = dict(notes)
        self._count += 1
        return self._storage.add(self._id, suggested, distributions, attributes)

    def report(self, number: int, step: int, value: float) -> bool:
        """Record an intermediate value; True if the trial should be pruned."""
        trial_id = self._trial_id(number)
        self._storage.set_trial_intermediate_value(trial_id, step, value)
        self._reports[number] = self._reports.get(number, 0) + 1
        at_the_end = self._steps is not None and step >= self._steps.whole
        if at_the_end or not self._pruner.due(self._reports[number]):
            return False
        return self._judges.prune(self._study, self._storage.get_trial(trial_id))

    def forget_reports(self, number: int) -> None:
        """Begin to count anew: another attempt of the trial reports from its start."""
        self._reports.pop(number, None)

    def tell(self, result: TrialResult, *, eligible: bool = True) -> None:
        """Record how a trial ended. Once per number.

        Args:
            eligible: what it left could win. If not, no other trial is stopped for being worse.
        """
        if not eligible:
            self._storage.set_trial_user_attr(self._trial_id(result.number), "eligible", False)
        state = state_of(result.status)
        value = result.value
        if state is TrialState.COMPLETE and (value is None or not math.isfinite(value)):
            state = TrialState.FAIL
        if state is TrialState.FAIL:
            value = None
        trial = self._trial_id(result.number)
        self._storage.end(trial, state, None if value is None else float(value))
        self._reports.pop(result.number, None)
        self._judges.remember(self._storage.get_trial(trial))

    def commit(self) -> None:
        self._backend.commit()

    def close(self) -> None:
        self._backend.commit()
        self._backend.close()

    def _trials(self) -> list[FrozenTrial]:
        return self._storage.get_all_trials(self._id, deepcopy=False)

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, number)

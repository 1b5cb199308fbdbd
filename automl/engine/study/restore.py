"""The trials that an earlier session of the same experiment has left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from optuna.trial import TrialState

from automl.engine.study.history import History, Record, state_of
from automl.engine.trial.contract import Failure, Status, TrialResult
from automl.engine.trial.partial import discard
from automl.engine.trial.records import read_proposed, read_result, write_result
from automl.engine.workspace.layout import ExperimentDirectory, TrialDirectory

__all__ = ["Restored", "restore"]

_STATUS = {TrialState.COMPLETE: Status.COMPLETED, TrialState.PRUNED: Status.PRUNED}


@dataclass(frozen=True)
class Restored:
    """The trials of an earlier session, ended and open.

    Attributes:
        ended: what had ended, with its record, by number.
        open: what was in flight, with its parameters and the attempt it was at.
    """

    ended: tuple[tuple[Record, TrialResult, dict[str, Any]], ...]
    open: tuple[tuple[Record, dict[str, Any], int], ...]


def restore(history: History, directory: ExperimentDirectory, eligible: Callable[[TrialResult], bool]) -> Restored:
    """Bring the journal up to what trial.json files say, and sort the trials into ended and open ones.

    A trial that the journal calls running has ended if a valid trial.json says so; it is told here.

    Args:
        eligible: tells whether what a trial left could win.
    """
    ended, pending = [], []
    for record in history.records():
        place = directory.trial(record.number)
        result = read_result(place)
        proposed = read_proposed(place)
        params = {} if proposed is None else proposed.params
        if record.state.is_finished():
            if result is None:
                result = _from_journal(record)
                _write_again(place, result)
            ended.append((record, result, params))
        elif result is not None:
            discard(place)
            history.tell(result, eligible=eligible(result))
            ended.append((replace(record, state=state_of(result.status), value=result.value), result, params))
        elif proposed is None:
            result = TrialResult(
                number=record.number,
                algorithm=record.algorithm,
                status=Status.INTERRUPTED,
                fidelity=record.fidelity,
                parent=record.parent,
                failure=Failure(kind="RecordLost", message=f"{place.params} cannot be read: it cannot be run again"),
            )
            _write_again(place, result)
            history.tell(result)
            ended.append((replace(record, state=TrialState.FAIL), result, params))
        else:
            pending.append((record, params, proposed.attempt))
    history.commit()
    return Restored(tuple(ended), tuple(pending))


def _write_again(place: TrialDirectory, result: TrialResult) -> None:
    """A trial.json in place of one that cannot be read: every number that was given out has one."""
    place.path.mkdir(parents=True, exist_ok=True)
    write_result(place, result)


def _from_journal(record: Record) -> TrialResult:
    """Return what the journal alone knows, for a trial whose trial.json is gone."""
    status = _STATUS.get(record.state, Status.FAILED)
    return TrialResult(
        number=record.number,
        algorithm=record.algorithm,
        status=status,
        value=record.value,
        fidelity=record.fidelity,
        parent=record.parent,
    )

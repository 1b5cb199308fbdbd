"""What an earlier session of the same experiment has left: its trials, and the time it used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from optuna.trial import TrialState

from automl.errors import DamagedFileError
from automl.search.history import History, Record, state_of
from automl.trial.contract import Failure, Status, TrialResult, read_result, write_result
from automl.workspace.atomic import read_json, write_json
from automl.workspace.layout import ExperimentDirectory, TrialDirectory

__all__ = ["Restored", "mark_used", "restore", "seconds_used"]

_STATUS = {TrialState.COMPLETE: Status.COMPLETED, TrialState.PRUNED: Status.PRUNED}


@dataclass(frozen=True)
class Restored:
    """Attributes:
    ended: what had ended, with its record, by number.
    open: what was in flight, with its parameters and the attempt it was at.
    """

    ended: tuple[tuple[Record, TrialResult, dict[str, Any]], ...]
    open: tuple[tuple[Record, dict[str, Any], int], ...]


def restore(history: History, directory: ExperimentDirectory) -> Restored:
    """Bring the journal up to what trial.json files say, and sort the trials into ended and open ones.

    A trial that the journal calls running has ended if a valid trial.json says so; it is told here.
    """
    ended, pending = [], []
    for record in history.records():
        place = directory.trial(record.number)
        result = read_result(place)
        written = _read_params(place)
        params = dict(written.get("params", {}))
        if record.state.is_finished():
            if result is None:
                result = _from_journal(record)
                _write_again(place, result)
            ended.append((record, result, params))
        elif result is not None:
            history.tell(result)
            ended.append((replace(record, state=state_of(result.status), value=result.value), result, params))
        elif not written:
            result = TrialResult(
                number=record.number,
                algorithm=record.algorithm,
                status=Status.INTERRUPTED,
                fidelity=record.fidelity,
                parent=record.parent,
                failure=Failure(kind="RecordLost", message=f"{place.params} cannot be read: nobody can run it again"),
            )
            _write_again(place, result)
            history.tell(result)
            ended.append((replace(record, state=TrialState.FAIL), result, params))
        else:
            pending.append((record, params, int(written.get("attempt", 1))))
    history.commit()
    return Restored(tuple(ended), tuple(pending))


def _read_params(place: TrialDirectory) -> dict[str, Any]:
    """params.json; empty where it is missing or damaged."""
    try:
        return read_json(place.params) if place.params.exists() else {}
    except DamagedFileError:
        return {}


def _write_again(place: TrialDirectory, result: TrialResult) -> None:
    """A trial.json in place of one that cannot be read: every number that was given out has one."""
    place.path.mkdir(parents=True, exist_ok=True)
    write_result(place, result)


def _from_journal(record: Record) -> TrialResult:
    """What the journal alone knows, for a trial whose trial.json is gone."""
    status = _STATUS.get(record.state, Status.FAILED)
    return TrialResult(
        number=record.number,
        algorithm=record.algorithm,
        status=status,
        value=record.value,
        fidelity=record.fidelity,
        parent=record.parent,
    )


def seconds_used(directory: ExperimentDirectory) -> float:
    """Seconds of the experiment's clock that earlier sessions have used.

    Where clock.json cannot be read, the latest result says it: time that was used is never given again.
    """
    try:
        return float(read_json(directory.clock)["elapsed"]) if directory.clock.exists() else 0.0
    except (DamagedFileError, KeyError, TypeError, ValueError):
        results = (read_result(directory.trial(number)) for number in directory.trial_numbers())
        return max((result.elapsed for result in results if result is not None), default=0.0)


def mark_used(directory: ExperimentDirectory, elapsed: float) -> None:
    """Note how far the experiment's clock has come."""
    write_json(directory.clock, {"elapsed": round(elapsed, 3)})

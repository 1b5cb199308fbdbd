"""Optuna's storage on the study journal, with short ways for the two things that happen to every trial.

Optuna writes a record, reads it back and builds from it what it was made of: where trials end within milliseconds that
was a quarter of what the driver did. What is added and ended here is written as Optuna writes it, and in memory it is
what Optuna makes of the record: `tests/engine/study/test_journal.py` compares the two. This file alone knows the
insides of Optuna's storage, and tries them once: an Optuna that is made otherwise goes its own way, which takes longer.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import optuna.storages.journal._storage as private
from optuna.distributions import BaseDistribution, FloatDistribution, distribution_to_json
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from pydantic_core import from_json, to_json

from automl.engine.study.journal import GroupCommitBackend

__all__ = ["StudyStorage"]


class _ShortStorage(JournalStorage):
    """The trials of one study, whose journal has no other writer, by the short ways alone."""

    def __init__(self, backend: GroupCommitBackend | _InMemory) -> None:
        self._journal = backend
        self._written: dict[tuple[str, BaseDistribution], str] = {}
        super().__init__(backend)

    def add(
        self,
        study: int,
        params: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
        attributes: Mapping[str, Any],
    ) -> int:
        """Add a running trial, and give it the next number.

        Args:
            study: its id.
            attributes: of the user, as JSON values.
        """
        self._sync_with_backend()
        known, now = self._replay_result, datetime.now(UTC)
        internal = {name: distributions[name].to_internal_repr(value) for name, value in params.items()}
        content = {
            "study_id": study,
            "datetime_start": now.isoformat(timespec="microseconds"),
            "state": int(TrialState.RUNNING),
            "value": None,
            "values": None,
            "distributions": {name: self._text(name, kind) for name, kind in distributions.items()},
            "params": internal,
            "user_attrs": attributes,
            "system_attrs": {},
            "intermediate_values": {},
        }
        self._write(private.JournalOperation.CREATE_TRIAL, content)
        numbers, identifier = known._study_id_to_trial_ids[study], len(known._trials)
        known._trials[identifier] = FrozenTrial(
            number=len(numbers),
            state=TrialState.RUNNING,
            value=None,
            values=None,
            datetime_start=_local(now),
            datetime_complete=None,
            params={name: distributions[name].to_external_repr(value) for name, value in internal.items()},
            distributions=dict(distributions),
            user_attrs=from_json(to_json(attributes)),
            system_attrs={},
            intermediate_values={},
            trial_id=identifier,
        )
        numbers.append(identifier)
        known._trial_id_to_study_id[identifier] = study
        return len(numbers) - 1

    def end(self, identifier: int, state: TrialState, value: float | None) -> None:
        """End a trial, which has not ended.

        Args:
            identifier: its id.
            state: a final one.
        """
        self._sync_with_backend()
        known, now = self._replay_result, datetime.now(UTC)
        values = None if value is None else [value]
        content = {
            "trial_id": identifier,
            "state": int(state),
            "values": values,
            "datetime_complete": now.isoformat(timespec="microseconds"),
        }
        known._trial_exists_and_updatable(identifier, {"worker_id": known.worker_id})  # raises if it has ended
        self._write(private.JournalOperation.SET_TRIAL_STATE_VALUES, content)
        trial = copy.copy(known._trials[identifier])
        trial.state, trial.datetime_complete = state, _local(now)
        if values is not None:
            trial.values = values
        known._trials[identifier] = trial

    def _write(self, operation: private.JournalOperation, content: Mapping[str, Any]) -> None:
        """Append an operation to the journal, and count it as read: what it says is known already."""
        worker = self._replay_result.worker_id
        self._journal.append({"op_code": int(operation), "worker_id": worker, **content})
        self._replay_result.log_number_read += 1

    def _text(self, name: str, distribution: BaseDistribution) -> str:
        """The distribution as JSON. By the parameter's name too, since the choices 1 and true are equal in Python."""
        text = self._written.get((name, distribution))
        if text is None:
            text = self._written[name, distribution] = distribution_to_json(distribution)
        return text


def _local(moment: datetime) -> datetime:
    return moment.astimezone().replace(tzinfo=None)


class StudyStorage(_ShortStorage):
    """The trials of one study, whose journal has no other writer."""

    def add(
        self,
        study: int,
        params: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
        attributes: Mapping[str, Any],
    ) -> int:
        if _are_as_known():
            return super().add(study, params, distributions, attributes)
        trial = FrozenTrial(
            number=-1,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=_local(datetime.now(UTC)),
            datetime_complete=None,
            params=dict(params),
            distributions=dict(distributions),
            user_attrs=dict(attributes),
            system_attrs={},
            intermediate_values={},
            trial_id=-1,
        )
        return self.get_trial_number_from_id(self.create_new_trial(study, trial))

    def end(self, identifier: int, state: TrialState, value: float | None) -> None:
        if _are_as_known():
            super().end(identifier, state, value)
        else:
            self.set_trial_state_values(identifier, state, None if value is None else [value])


class _InMemory(BaseJournalBackend):
    """A journal in memory, for one storage; or for one that reads what another has left."""

    def __init__(self, logs: Sequence[Mapping[str, Any]] = ()) -> None:
        self.logs = [from_json(to_json(log)) for log in logs]

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        return iter(self.logs[log_number_from:])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.logs.extend(logs)

    def append(self, log: Mapping[str, Any]) -> None:
        self.logs.append(dict(log))


@cache
def _are_as_known() -> bool:
    """Tell whether Optuna makes of what the short ways write what they say that it does."""
    short = _InMemory()
    try:
        storage = _ShortStorage(short)
        study = storage.create_new_study([StudyDirection.MAXIMIZE], "s")
        for _ in range(2):
            storage.add(study, {"x": 0.5}, {"x": FloatDistribution(0.0, 1.0)}, {"algorithm": "a"})
        storage.end(0, TrialState.COMPLETE, 0.25)
        read = JournalStorage(_InMemory(short.logs)).get_all_trials(study)
        return storage.get_all_trials(study) == read and len(read) == 2
    except Exception:  # whatever it is that differs
        return False

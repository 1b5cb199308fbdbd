"""The mirror's loop: what it does with a driver's requests, and with a store that is down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from automl.errors import WorkspaceError
from automl.registry.candidate import Candidate
from automl.registry.register import register
from automl.registry.store import describe
from automl.registry.warm import warm_up
from automl.tracking.ending import read_ending
from automl.tracking.lines import Inbox
from automl.tracking.runs import ExperimentRuns
from automl.workspace.layout import ExperimentDirectory

__all__ = ["MirrorProcess"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds between attempts to reach a store that is down


class MirrorProcess:
    """Serves one driver: what came last and is urgent (a registration) goes before the trials that wait.

    Args:
        directory: the experiment.
        uri: the MLflow store.
        imports: modules that models of this experiment need, imported while idle.
        inbox: requests.
        send: takes an answer.
    """

    def __init__(
        self,
        directory: ExperimentDirectory,
        uri: str,
        imports: Sequence[str],
        inbox: Inbox,
        send: Callable[[dict[str, Any]], None],
    ) -> None:
        self._directory, self._uri, self._imports = directory, uri, imports
        self._inbox, self._send = inbox, send
        self._runs: ExperimentRuns | None = None
        self._waiting: dict[int, None] = {}  # numbers, in the order they came
        self._pause, self._retry_at = _FIRST_PAUSE, 0.0
        self._troubled = self._stale = self._warm = False
        self._unfit: set[int] = set()  # trials that MLflow will never take

    def run(self) -> None:
        """Until the driver closes its end."""
        self._connect()
        while not self._inbox.ended:
            message = self._inbox.take(self._patience())
            if message is not None:
                self._handle(message)
            elif time.monotonic() >= self._retry_at and self._connect():
                if not self._warm:
                    self._warm_up()
                elif self._waiting:
                    self._mirror(next(iter(self._waiting)))

    def _patience(self) -> float | None:
        idle = not self._waiting and self._warm and not self._stale
        return None if idle else max(0.0, self._retry_at - time.monotonic())

    def _handle(self, message: dict[str, Any]) -> None:
        if "trials" in message:
            self._waiting.update(dict.fromkeys(message["trials"]))
        if "register" in message:
            self._answer(message, self._register(Candidate.model_validate(message["register"])))
        if "finish" in message:
            self._answer(message, self._finish(time.monotonic() + float(message["finish"])))

    def _answer(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        self._send({**answer, "id": request.get("id")})

    def _connect(self) -> bool:
        """Open the store and find what it has, unless that is done. False if it cannot be reached."""
        if self._runs is not None and not self._stale:
            return True
        began = time.monotonic()
        try:
            self._runs = ExperimentRuns(self._directory, self._uri)
        except Exception as error:  # MLflow, an HTTP client, a database driver
            self._trouble(error)
            return False
        self._stale = False
        self._well()
        self._send({"mirrored": self._runs.mirrored, "seconds": {"open": time.monotonic() - began}})
        return True

    def _warm_up(self) -> None:
        """A first registration takes seconds, a later one does not: let the first be none that anybody waits for."""
        assert self._runs is not None
        try:
            rehearsal = warm_up(self._runs.client, ("automl.ensemble.bag", *self._imports))
        except Exception as error:  # as above
            self._trouble(error)
            return
        self._warm = True
        self._send({"seconds": {"register": rehearsal}})

    def _mirror(self, number: int) -> bool:
        assert self._runs is not None
        try:
            done = self._runs.mirror(number)
        except Exception as error:  # as above
            if not _is_final(error):
                self._trouble(error)
                return False
            self._unfit.add(number)
            self._send({"trouble": f"trial {number} cannot be written: {describe(error)}"})
            done = False
        self._waiting.pop(number, None)
        self._well()
        if done:
            self._send({"mirrored": self._runs.mirrored})
        return True

    def _register(self, candidate: Candidate) -> dict[str, Any]:
        try:
            self._retry_at = 0.0
            run_id = self._runs.run_of(candidate.trial) if self._connect() and self._runs is not None else None
            model = register(candidate, self._uri, run_id=run_id)
        except Exception as error:  # a refusal (RegistryError), or the store again
            return {"refused": describe(error)}
        return {"registered": model.model_dump()}

    def _finish(self, ends: float) -> dict[str, Any]:
        self._retry_at = 0.0
        while not self._inbox.ended and time.monotonic() < ends:
            if time.monotonic() >= self._retry_at and self._connect() and self._all_mirrored(ends):
                break
            time.sleep(min(0.05, max(0.0, ends - time.monotonic())))
        mirrored = 0 if self._runs is None else self._runs.mirrored
        return {"finished": {"mirrored": mirrored, "pending": self._pending()}}

    def _all_mirrored(self, ends: float) -> bool:
        """True if nothing is missing any more. What the driver never mentioned is found on the disk."""
        assert self._runs is not None
        for number in self._runs.missing():
            if number in self._unfit:
                continue
            if time.monotonic() >= ends or not self._mirror(number):
                return False
        try:
            if (ending := read_ending(self._directory)) is not None:
                self._runs.end(ending)
            self._runs.checkpoint()
        except Exception as error:  # as above
            self._trouble(error)
            return False
        return True

    def _pending(self) -> int:
        results = [n for n in self._directory.trial_numbers() if self._directory.trial(n).result.exists()]
        return sum(self._runs is None or not self._runs.has(number) for number in results)

    def _trouble(self, error: Exception) -> None:
        """Say it once, and try again later and later."""
        if not self._troubled:
            self._send({"trouble": f"{type(error).__name__}: {describe(error)}"})
        self._troubled = self._stale = True
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause)

    def _well(self) -> None:
        if self._troubled:
            self._send({"recovered": True})
        self._troubled, self._pause, self._retry_at = False, _FIRST_PAUSE, 0.0


def _is_final(error: Exception) -> bool:
    """True for what another attempt would not change, so that one odd trial does not hold up all others."""
    code = getattr(error, "error_code", None)  # of an MlflowException
    return isinstance(error, WorkspaceError) or code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")

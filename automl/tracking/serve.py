"""The mirror's loop: what it does with a driver's requests, and with a store that is down."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from typing import Any

from automl.engine.workspace.layout import ExperimentDirectory
from automl.redact import one_line
from automl.tracking.catch_up import catch_up, is_final
from automl.tracking.lines import Inbox
from automl.tracking.owed import Mark
from automl.tracking.runs import ExperimentRuns
from automl.tracking.store import why
from automl.tracking.warm import warm_up

__all__ = ["MirrorProcess"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds between attempts to reach a store that is down
_ATTEMPTS = 3
"""Attempts to bring the end of an experiment to a store: one that is down then is down for longer."""


class MirrorProcess:
    """Serves one driver: what came last and is urgent (the end) goes before the trials that wait.

    Args:
        directory: the experiment.
        uri: the MLflow store.
        imports: modules that models of this experiment need, imported while idle.
        trials: trials are mirrored, and not only registered models.
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
        *,
        trials: bool,
    ) -> None:
        self._directory, self._uri, self._imports, self._trials = directory, uri, imports, trials
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
        if "finish" in message:
            answer = self._finish(time.monotonic() + float(message["finish"]))
            self._send({**answer, "id": message.get("id")})

    def _connect(self) -> bool:
        """Open the store and find what it has, unless that is done. False if it cannot be reached."""
        if self._runs is not None and not self._stale:
            return True
        began = time.monotonic()
        self._send({"calling": True})
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
        """A first registration takes seconds, a later one does not: let the first be one that nothing waits for."""
        assert self._runs is not None
        scratch = self._directory.mirror_scratch
        try:
            scratch.mkdir(exist_ok=True)
            rehearsal = warm_up(self._runs.client, scratch, ("automl.learning.ensemble.bag", *self._imports))
        except Exception as error:  # as above
            self._trouble(error)
            return
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        self._warm = True
        self._send({"seconds": {"register": rehearsal}})

    def _mirror(self, number: int) -> bool:
        """Write a trial. False if the store is in trouble."""
        assert self._runs is not None
        try:
            self._runs.mirror(number)
        except Exception as error:  # as above
            if not is_final(error):
                self._trouble(error)
                return False
            self._unfit.add(number)
            self._send({"trouble": f"trial {number} cannot be written: {one_line(error)}"})
        self._waiting.pop(number, None)
        self._well()
        self._send({"mirrored": self._runs.mirrored})
        return True

    def _finish(self, ends: float) -> dict[str, Any]:
        """Bring everything, within the time; a store that is down is left to later processes."""
        mark, complete = Mark(self._directory), False
        attempts = 1 if self._troubled else _ATTEMPTS
        self._retry_at, self._pause = 0.0, _FIRST_PAUSE
        while not complete and attempts and not self._inbox.ended and time.monotonic() < ends:
            attempts -= 1
            complete = self._connect() and self._catch_up(ends)
            if not complete and attempts:
                time.sleep(max(0.0, min(self._retry_at, ends) - time.monotonic()))
        if complete:
            mark.clear()
            self._warm = True  # nothing comes that could be prepared for
        mirrored = 0 if self._runs is None else self._runs.mirrored
        return {"finished": {"mirrored": mirrored, "complete": complete}}

    def _catch_up(self, ends: float) -> bool:
        """True if nothing is missing any longer. What the driver never mentioned is found on the disk."""
        assert self._runs is not None

        def mirror(number: int) -> bool:
            return number in self._unfit or (time.monotonic() < ends and self._mirror(number))

        try:
            return catch_up(self._directory, self._runs, trials=self._trials, mirror=mirror)
        except Exception as error:  # as above
            self._trouble(error)
            return False

    def _trouble(self, error: Exception) -> None:
        """Say it once, and try again later and later."""
        if not self._troubled:
            self._send({"trouble": why(error)})
        self._troubled = self._stale = True
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause)

    def _well(self) -> None:
        if self._troubled:
            self._send({"recovered": True})
        self._troubled, self._pause, self._retry_at = False, _FIRST_PAUSE, 0.0

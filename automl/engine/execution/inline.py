"""Trials in this process, one after the other: for debugging."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from typing import ClassVar

from automl.deadline import Deadline
from automl.engine.execution.base import Event, Executor
from automl.engine.execution.gpus import local_shares
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.worker import import_quietly
from automl.engine.trial.capture import tee
from automl.engine.trial.contract import (
    Device,
    Failure,
    Report,
    Status,
    StopReason,
    TrialContext,
    TrialResult,
    TrialSpec,
)
from automl.engine.trial.execute import execute
from automl.engine.trial.threads import restore_threads

__all__ = ["InlineExecutor"]

log = logging.getLogger("automl")


class InlineExecutor(Executor):
    """Runs trials in one thread that takes turns with the caller's.

    A trial that reports waits until the driver has seen the report and calls `wait` again, so that what a pruner
    decides does not depend on timing. What a trial prints appears on the terminal as well as in its log. Trials see
    every GPU that this process sees, also those that were given none.
    """

    name: ClassVar[str] = "inline"
    hard_kill: ClassVar[bool] = False

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        self._options = options or ComputeOptions()
        self._gpus = 0.0
        self._context: TrialContext | None = None
        self._warned = False
        self._thread: threading.Thread | None = None
        self._trials: queue.SimpleQueue[TrialSpec | None] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._turn: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._current: TrialSpec | None = None
        self._reason: StopReason | None = None
        self._reported = False
        self._closed = False

    def prestart(self, imports: Sequence[str] = ()) -> None:
        """Nothing: imports in a thread of this process would only delay the caller's."""

    def start(self, context: TrialContext) -> None:
        shares = local_shares(self._options) if Device.GPU in context.devices else None
        self._gpus = 0.0 if shares is None else shares.each
        import_quietly(context.imports)
        self._context = context

    @property
    def slots(self) -> int:
        return 1

    @property
    def gpus_per_trial(self) -> float:
        return self._gpus

    def submit(self, spec: TrialSpec) -> None:
        limited = spec.limits.seconds is not None or spec.limits.memory is not None
        if limited and not self._warned:
            self._warned = True
            log.warning("Executor 'inline' cannot end a trial that does not heed its limits; 'process' and 'ray' can.")
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="automl-inline", daemon=True)
            self._thread.start()
        self._current, self._reason = spec, None
        self._trials.put(spec)

    def wait(self, timeout: float) -> list[Event]:
        if self._reported:
            self._reported = False
            self._turn.put(None)
        try:
            event = self._events.get(timeout=timeout) if timeout > 0 else self._events.get_nowait()
        except queue.Empty:
            return []
        if isinstance(event, TrialResult):
            self._current = None
        else:
            self._reported = True
        return [event]

    def stop(self, number: int, reason: StopReason, *, grace: float = 1.0) -> None:
        if self._current is not None and self._current.number == number and self._reason is None:
            self._reason = reason

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._reason = self._reason or StopReason.CANCELLED
        self._trials.put(None)
        self._turn.put(None)
        if self._thread is not None:
            self._thread.join(timeout=1.0)
        restore_threads()

    def _serve(self) -> None:
        assert self._context is not None
        for spec in iter(self._trials.get, None):
            try:
                result = execute(spec, self._context, emit=self._emit, stop_reason=lambda: self._reason, capture=tee)
            except BaseException as error:  # beside the trial's own work: the caller would wait for ever
                failure = Failure(kind=type(error).__name__, message=str(error))
                result = TrialResult.of(spec, Status.FAILED, failure=failure)
            self._events.put(result)

    def _emit(self, report: Report) -> None:
        self._events.put(report)
        if not self._closed:
            self._turn.get()

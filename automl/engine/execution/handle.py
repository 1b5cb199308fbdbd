"""A worker and a submitted trial, as an executor sees them."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from automl.engine.trial.contract import Device, Report, StopReason, TrialSpec

__all__ = ["SubmittedTrial", "WorkerHandle"]

_TIMEOUT_GRACE = 0.2
"""Seconds after its limit at which a trial is killed; it knows its limit, and may end in good time by itself."""


class WorkerHandle(ABC):
    """An executor's means of speaking to one worker.

    Attributes:
        says_at_once: what it has said is heard though it dies right after: a trial behind the one that it runs has
            then not begun.
        mark: its name.
        device: what its trials compute on.
        address: ``host:pid``, once it has said so.
        ready: it has the context.
        trials: the trials that it was given and that have not ended, in order: it runs the first.
        last: the latest trial that it was given.
        free_since: reading of `time.monotonic()` when it became ready, or its latest trial ended.
    """

    says_at_once: ClassVar[bool]

    def __init__(self, mark: str, device: Device) -> None:
        self.mark = mark
        self.device = device
        self.address = ""
        self.ready = False
        self.trials: deque[SubmittedTrial] = deque()
        self.last: TrialSpec | None = None
        self.free_since = 0.0

    @property
    def running(self) -> SubmittedTrial | None:
        """The trial that it runs; None while it has none."""
        return self.trials[0] if self.trials else None

    @property
    def idle(self) -> bool:
        return self.ready and not self.trials

    def take(self, trials: Sequence[SubmittedTrial]) -> None:
        """Send trials, which it runs one after the other. The first begins."""
        now = time.monotonic()
        self.trials.extend(trials)
        for trial in trials:
            trial.assign(self, now)
        self.trials[0].begin(now)
        self.last = trials[-1].spec
        self.run([trial.spec for trial in trials])

    def ended(self, number: int) -> SubmittedTrial | None:
        """Note that a trial of it has ended, and return it; the next one begins if it was running."""
        for position, trial in enumerate(self.trials):
            if trial.spec.number == number:
                del self.trials[position]
                if position == 0 and self.trials:
                    self.trials[0].begin(time.monotonic())
                return trial
        return None

    @abstractmethod
    def load(self, payload: Any) -> None:
        """Send the context, as the transport has prepared it."""

    @abstractmethod
    def run(self, specs: Sequence[TrialSpec]) -> None:
        """Send trials, to be run one after the other."""

    @abstractmethod
    def stop(self, number: int, attempt: int, reason: StopReason) -> None:
        """Ask a trial that it was given to stop, or not to begin."""


@dataclass(eq=False)
class SubmittedTrial:
    """A trial that was submitted and has no result yet.

    Attributes:
        as_of: reading of `time.monotonic()` for which the limits of `spec` hold.
        worker: None while it waits for one.
        started: reading of `time.monotonic()` when its turn came on its worker.
        kill_at: when its worker is killed.
        reason: why it was asked to stop.
        grace: seconds that it was given for that.
        last: its latest report.
    """

    spec: TrialSpec
    as_of: float = field(default_factory=time.monotonic)
    worker: WorkerHandle | None = None
    started: float = math.inf
    kill_at: float = math.inf
    reason: StopReason | None = None
    grace: float = math.inf
    last: Report | None = None

    @property
    def has_begun(self) -> bool:
        return self.started < math.inf

    def assign(self, worker: WorkerHandle, now: float) -> None:
        """Note that the trial is sent to `worker`."""
        self.worker = worker
        self._wait_until(now)

    def begin(self, now: float) -> None:
        """Note that the trial's turn has come, and its time begins."""
        self._wait_until(now)
        self.started = now
        if self.spec.limits.seconds is not None:
            self.kill_at = now + self.spec.limits.seconds + _TIMEOUT_GRACE
        self.kill_at = min(self.kill_at, now + self.grace)

    def stop(self, reason: StopReason, grace: float) -> None:
        """Ask it to stop. The first reason counts; one that has begun is killed after `grace` seconds."""
        assert self.worker is not None
        self.grace = min(self.grace, grace)
        if self.has_begun:
            self.kill_at = min(self.kill_at, time.monotonic() + grace)
        if self.reason is None:
            self.reason = reason
            self.worker.stop(self.spec.number, self.spec.attempt, reason)

    def release(self) -> None:
        """Note that its worker will not begin it."""
        self.worker, self.started, self.kill_at = None, math.inf, math.inf

    def _wait_until(self, now: float) -> None:
        limits = self.spec.limits.after(now - self.as_of)
        if limits is not self.spec.limits:
            self.spec = replace(self.spec, limits=limits)
        self.as_of = now

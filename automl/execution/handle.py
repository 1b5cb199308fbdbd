"""A worker and a trial in flight, as the driver sees them."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from automl.trial.contract import Device, Report, StopReason, TrialSpec

__all__ = ["Flight", "WorkerHandle"]

_TIMEOUT_GRACE = 0.2
"""Seconds after its limit at which a trial is killed; it knows its limit, and may end in good time by itself."""


class WorkerHandle(ABC):
    """How to speak to one worker.

    Attributes:
        mark: its name.
        device: what its trials compute on.
        address: ``host:pid``, once it has said so.
        ready: it has the context.
        flight: the trial that it runs.
        last: the latest trial that it was given.
        free_since: reading of `time.monotonic()` when it became ready, or its latest trial ended.
    """

    def __init__(self, mark: str, device: Device) -> None:
        self.mark = mark
        self.device = device
        self.address = ""
        self.ready = False
        self.flight: Flight | None = None
        self.last: TrialSpec | None = None
        self.free_since = 0.0

    @property
    def idle(self) -> bool:
        return self.ready and self.flight is None

    @abstractmethod
    def load(self, payload: Any) -> None:
        """Send the context, as the transport has prepared it."""

    @abstractmethod
    def run(self, spec: TrialSpec) -> None:
        """Send a trial."""

    @abstractmethod
    def stop(self, number: int, attempt: int, reason: StopReason) -> None:
        """Ask the trial to stop."""


@dataclass(eq=False)
class Flight:
    """A trial that was submitted and has no result yet.

    Attributes:
        submitted: reading of `time.monotonic()` when the driver gave it.
        worker: None while it waits for one.
        started: reading of `time.monotonic()` when it was sent to its worker.
        kill_at: when its worker is killed.
        reason: why it was asked to stop.
        last: its latest report.
    """

    spec: TrialSpec
    submitted: float = field(default_factory=time.monotonic)
    worker: WorkerHandle | None = None
    started: float = math.inf
    started_at: str = ""
    kill_at: float = math.inf
    reason: StopReason | None = None
    last: Report | None = None

    def begin(self, worker: WorkerHandle) -> None:
        """Send the trial to `worker`; its time begins."""
        self.worker, self.started = worker, time.monotonic()
        self.spec = replace(self.spec, limits=self.spec.limits.after(self.started - self.submitted))
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        if self.spec.limits.seconds is not None:
            self.kill_at = self.started + self.spec.limits.seconds + _TIMEOUT_GRACE
        worker.flight, worker.last = self, self.spec
        worker.run(self.spec)

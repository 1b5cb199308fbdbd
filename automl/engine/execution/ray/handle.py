"""One Ray actor, from the driver's side."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from automl.engine.execution.gpus import gpu_environment
from automl.engine.execution.handle import WorkerHandle
from automl.engine.execution.options import ComputeOptions
from automl.engine.trial.contract import Device, StopReason, TrialSpec
from automl.engine.trial.threads import thread_environment

__all__ = ["RayWorker"]


class RayWorker(WorkerHandle):
    """A worker that Ray puts where there is room, now or later.

    Args:
        device: what its trials compute on.
        options: what a trial needs.
        imports: what the worker should import while it waits for the context.
        token: gives a file that the worker must see, if there is one.

    Attributes:
        calls: made, and not yet waited for.
        seen: messages that `listen` has brought.
    """

    says_at_once: ClassVar[bool] = False  # news travel for milliseconds, and what is on its way is lost with the actor

    def __init__(
        self, device: Device, options: ComputeOptions, imports: Sequence[str], token: Callable[[], Path | None]
    ) -> None:
        from automl.engine.execution.ray.actor import REMOTE_ACTOR

        super().__init__(uuid.uuid4().hex, device)
        gpus = options.gpus_per_trial if device is Device.GPU else 0
        threads = thread_environment(max(1, int(options.cpus_per_trial)))
        environment = {**threads, **gpu_environment(None if gpus else "")}  # Ray says which
        placed = REMOTE_ACTOR.options(num_cpus=options.cpus_per_trial, num_gpus=gpus, scheduling_strategy="SPREAD")
        self.actor = placed.remote(self.mark, environment, tuple(sys.path), tuple(imports), options.storage)
        self.calls: list[tuple[Any, str]] = []
        self.seen = 0
        self._token = token

    def load(self, payload: Any) -> None:
        self.calls.append((self.actor.load.remote(*payload), "load"))

    def run(self, specs: Sequence[TrialSpec]) -> None:
        self.calls.append((self.actor.run.remote(specs, self._token()), "run"))

    def stop(self, number: int, attempt: int, reason: StopReason) -> None:
        self.actor.stop.remote(number, attempt, reason)

    def listen(self) -> None:
        """Ask for its next messages."""
        self.calls.append((self.actor.news.remote(), "news"))

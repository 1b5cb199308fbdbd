"""A Worker inside a Ray actor. Imported by Ray's workers, and by the driver once Ray is up."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import ray

from automl.execution.messages import Broken, Finished, Loaded
from automl.execution.payload import Payload
from automl.execution.worker import Worker, import_quietly
from automl.trial.contract import Report, StopReason, TrialSpec

__all__ = ["REMOTE_ACTOR", "TrialActor"]

_GATHER = 0.005
"""Seconds for which reports are gathered: a short trial's then come with its result, at no cost of their own."""


class TrialActor:
    """Trials run in the default concurrency group, one at a time, in one thread that is not the main one.

    Args:
        mark: the worker's.
        environment: variables for the libraries that trials load.
        imports: modules to import before the context arrives.
    """

    def __init__(self, mark: str, environment: Mapping[str, str], imports: Sequence[str]) -> None:
        os.environ.update(environment)
        self._worker = Worker(mark)
        self._worker.watch()
        self._news = threading.Condition()
        self._reports: list[Report] = []
        self._taken = 0
        import_quietly(imports)

    def load(self, head: Any, *buffers: Any) -> Loaded | Broken:
        """Take the context: a `Payload`, in parts that Ray hands over without a copy."""
        return self._worker.load(Payload(bytes(head), buffers))

    def run(self, spec: TrialSpec) -> tuple[int, list[Report], Finished]:
        """Run a trial: how many reports `reports` has given of it, the rest of them, and how it ended."""
        with self._news:
            self._taken = 0
        finished = self._worker.run(spec, self._emit)
        with self._news:
            rest, self._reports = self._reports, []
            return self._taken, rest, finished

    @ray.method(concurrency_group="reports")
    def reports(self) -> list[Report]:
        """The next reports; waits until there are some."""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._reports)
            time.sleep(_GATHER)
            with self._news:
                taken, self._reports = self._reports, []
                self._taken += len(taken)
            if taken:  # else the trial has ended, and its result has taken them along
                return taken

    @ray.method(concurrency_group="control")
    def stop(self, number: int, attempt: int, reason: StopReason) -> None:
        self._worker.stop(number, attempt, reason)

    def _emit(self, report: Report) -> None:
        with self._news:
            self._reports.append(report)
            self._news.notify()


_remote: Any = ray.remote  # its annotations lack concurrency groups
REMOTE_ACTOR = _remote(concurrency_groups={"control": 1, "reports": 1}, max_restarts=0, max_task_retries=0)(TrialActor)

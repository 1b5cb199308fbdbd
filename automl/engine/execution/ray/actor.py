"""A Worker inside a Ray actor. Imported by Ray's workers, and by the driver once Ray is up."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray

from automl.engine.execution.memory_note import MemoryNote
from automl.engine.execution.messages import Broken, Ended, Loaded
from automl.engine.execution.payload import Payload
from automl.engine.execution.storage import Scratch, Storage, StorageError, failed
from automl.engine.execution.watchdog_process import WorkerWatchdog
from automl.engine.execution.worker import Worker, import_quietly
from automl.engine.trial.contract import Report, Status, StopReason, TrialResult, TrialSpec

__all__ = ["REMOTE_ACTOR", "TrialActor"]

_GATHER = 0.005
"""Seconds for which messages are gathered: those about short trials then come with the end of their run, at no cost of
their own."""


class TrialActor:
    """Trials run in the default concurrency group, one at a time, in one thread that is not the main one.

    Args:
        mark: the worker's.
        environment: variables for the libraries that trials load.
        path: where the driver finds modules: so does this worker, as far as it has these folders.
        imports: modules to import before the context arrives.
        storage: the URL of `compute.storage`, if there is one.
    """

    def __init__(
        self,
        mark: str,
        environment: Mapping[str, str],
        path: Sequence[str],
        imports: Sequence[str],
        storage: str | None = None,
    ) -> None:
        os.environ.update(environment)
        sys.path += [folder for folder in path if folder not in sys.path and os.path.isdir(folder)]
        self._worker = Worker(mark, WorkerWatchdog.start(mark) if os.name == "posix" else None)
        self._storage = storage
        self._scratch = None if storage is None else Scratch(Storage(storage), mark)
        self._seen: Path | None = None
        self._changed = threading.Condition()
        self._news: list[Report | Ended] = []
        self._taken = 0
        import_quietly(imports)

    def load(self, head: Any, *buffers: Any) -> Loaded | Broken:
        """Take the context: a `Payload`, in parts that Ray hands over without a copy."""
        return self._worker.load(Payload(bytes(head), buffers))

    def run(self, specs: Sequence[TrialSpec], token: Path | None) -> tuple[int, list[Report | Ended]] | None:
        """Run trials, one after the other: how many messages `news` has given so far, and the rest.

        They do not begin if this worker does not see the driver's file `token`: the answer is None then.
        """
        if token is not None and token != self._seen:
            if not token.exists():
                return None
            self._seen = token
        for spec in self._worker.accept(specs):
            finished = self._run(spec)
            self._say(finished)
            if finished.worn:
                break
        with self._changed:
            rest, self._news = self._news, []
            return self._taken, rest

    @ray.method(concurrency_group="news")
    def news(self) -> list[Report | Ended]:
        """The next messages; waits until there are some."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._news)
            time.sleep(_GATHER)
            with self._changed:
                taken, self._news = self._news, []
                self._taken += len(taken)
            if taken:  # else the run has ended, and its answer has taken them along
                return taken

    @ray.method(concurrency_group="control")
    def stop(self, number: int, attempt: int, reason: StopReason) -> None:
        if (finished := self._worker.stop(number, attempt, reason)) is not None:
            self._say(finished)

    def _run(self, spec: TrialSpec) -> Ended:
        if self._scratch is None:
            return self._worker.run(spec, self._say)
        try:
            local = self._scratch.local(spec)
        except StorageError as error:
            return Ended(failed(TrialResult.of(spec, Status.FAILED), error), worn=False)
        finished = self._worker.run(local, self._say, MemoryNote(spec.directory, self._storage))
        result, files = self._scratch.deliver(spec, finished.result)
        return Ended(result, finished.worn, files)

    def _say(self, message: Report | Ended) -> None:
        with self._changed:
            self._news.append(message)
            self._changed.notify()


_remote: Any = ray.remote  # its annotations lack concurrency groups
REMOTE_ACTOR = _remote(concurrency_groups={"control": 1, "news": 1}, max_restarts=0, max_task_retries=0)(TrialActor)

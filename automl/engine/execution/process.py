"""Trials in processes of this machine."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import wait
from typing import IO, Any, ClassVar

from automl.deadline import Deadline
from automl.engine.execution.bytecode import child_environment
from automl.engine.execution.gpus import GpuShares, gpu_environment, local_shares
from automl.engine.execution.handle import WorkerHandle
from automl.engine.execution.messages import Message
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.payload import Mapped, Payload
from automl.engine.execution.pool import Pool
from automl.engine.execution.reap import kill_tree
from automl.engine.execution.worker_process import WorkerProcess
from automl.engine.trial.contract import Device
from automl.engine.trial.cores import usable_cores
from automl.engine.trial.threads import thread_environment

__all__ = ["ProcessExecutor"]

_SMALL = 2**18
"""Bytes up to which a context's arrays are sent to each worker, and not shared through a file."""
_MANY_CORES = 4
"""With so many cores a second worker's imports do not slow down the first trial."""


class ProcessExecutor(Pool):
    """Starts one worker at once and further ones when they are needed; each in a session of its own.

    So the terminal's Ctrl-C does not reach them, and a kill takes all that they have started. A trial sees the GPUs
    that it was given, and no others.
    """

    name: ClassVar[str] = "process"

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        super().__init__(options, deadline)
        self._arrays: IO[bytes] | None = None
        self._sources: dict[Any, WorkerProcess] = {}
        self._gpus: GpuShares | None = None
        self._given: dict[WorkerProcess, str] = {}
        self._shares: tuple[tuple[Device, ...], Counter[Device]] | None = None

    def prestart(self, imports: Sequence[str] = ()) -> None:
        if not self.options.gpus_per_trial:  # `start` says what is wrong with them
            super().prestart(imports)

    def most_on(self, device: Device) -> int:
        if self._shares is None or self._shares[0] is not self._devices:  # settled when the search begins
            there = 0 if self._gpus is None else self._gpus.there
            self._shares = self._devices, self.options.shared_out(self.options.workers_on(), there, self._devices)
        return max(1, self._shares[1][device])

    def close(self) -> None:
        super().close()
        if self._arrays is not None:
            self._arrays.close()
            self._arrays = None

    def _gpus_of_each(self) -> float:
        self._gpus = local_shares(self.options)
        return 0.0 if self._gpus is None else self._gpus.each

    def _launch(self, device: Device) -> WorkerHandle:
        if self._arrays is None and os.name == "posix":
            # workers inherit it now; it is written when the data is known
            self._arrays = tempfile.TemporaryFile()  # noqa: SIM115 - `close` does
        threads = thread_environment(max(1, int(self.options.cpus_per_trial)))
        gpus = self._gpus.take() if self._gpus is not None and device is Device.GPU else ""
        environment = {**child_environment(), **threads, **gpu_environment(gpus)}
        worker = WorkerProcess(device, self._arrays, environment, self._imports)
        self._given[worker] = gpus
        self._sources.update(dict.fromkeys(worker.sources, worker))
        if self._payload is not None:
            worker.load(self._payload)
        return worker

    def _may_launch(self, starting: int, first: bool) -> bool:
        cores = usable_cores()
        return starting < max(1, cores // 2) and (not first or cores >= _MANY_CORES)

    def _prepare(self, payload: Payload) -> Payload | Mapped:
        size = sum(len(buffer) for buffer in payload.buffers)
        if size <= _SMALL or self._arrays is None:
            return Payload(payload.head, [bytes(buffer) for buffer in payload.buffers])
        return Mapped.write(payload, self._arrays)

    def _poll(self, timeout: float) -> Sequence[tuple[WorkerHandle, Message]]:
        ready = wait(list(self._sources), timeout)
        heard: list[tuple[WorkerHandle, Message]] = []
        for source in ready:
            worker = self._sources[source]
            if source is worker.connection:
                heard.extend((worker, message) for message in worker.hear())
        for worker in [w for w in dict.fromkeys(self._sources.values()) if w.sentinel in ready or w.is_dead_unseen()]:
            heard.extend((worker, message) for message in worker.remains())
        return heard

    def _kill(self, workers: Sequence[WorkerHandle]) -> list[tuple[WorkerHandle, Message]]:
        killed = [worker for worker in workers if isinstance(worker, WorkerProcess)]
        if killed:
            kill_tree({worker.mark for worker in killed}, {worker.pid for worker in killed})
        heard: list[tuple[WorkerHandle, Message]] = []
        for worker in killed:
            for source in worker.sources:
                self._sources.pop(source, None)
            heard.extend((worker, message) for message in worker.bury())
            if (gpus := self._given.pop(worker)) and self._gpus is not None:
                self._gpus.give_back(gpus)
        return heard

"""The Ray executor: one long-lived actor per worker."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from automl.deadline import Deadline
from automl.engine.execution.base import Event
from automl.engine.execution.cores import cores_text
from automl.engine.execution.gpus import gpus_of_each, gpus_text
from automl.engine.execution.handle import WorkerHandle
from automl.engine.execution.messages import Died, Ended, Message
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.payload import Payload
from automl.engine.execution.pool import Pool
from automl.engine.execution.ray.handle import RayWorker
from automl.engine.execution.ray.runtime import RayRuntime
from automl.engine.execution.ray.sharing import Sharing, sharing_for
from automl.engine.trial.contract import Device, Status, TrialContext, TrialSpec
from automl.errors import ExecutorError

__all__ = ["RayExecutor"]

log = logging.getLogger("automl")

_SMALL = 100 * 2**10
"""Bytes up to which Ray sends an argument along with the call."""
_NO_ROOM = 30.0
"""Seconds without any worker after which a line says so."""
_FETCHING = 0.02
"""Seconds between two looks at files that are being fetched."""
_LATE = 5.0
"""Seconds to wait for messages that an actor has already given away."""
_SENTENCE = 300
"""Characters of Ray's explanations that are kept."""


class RayExecutor(Pool):
    """All workers are started at once, on all machines; trials begin when the first is up.

    Without `max_workers` there are as many as the machines have room for, those that join later included. With it,
    workers for which there is no room yet wait, which has Ray's autoscaler add machines. Where machines share no disk,
    `storage` says how files travel. A lost machine loses the trials that it ran, and no others. Trials that need more
    GPUs than any machine has wait until one joins, and a line says so.

    See `RayRuntime` for which Ray is used.
    """

    name: ClassVar[str] = "ray"

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        super().__init__(options, deadline)
        self._runtime = RayRuntime(self.options, after=self._launch_early)
        self._early: list[WorkerHandle] = []
        self._complain_at: dict[Device, float] = {}
        self._most_before: Counter[Device] = Counter()
        self._counted: tuple[Any, Any] = (None, None)
        self._places: Counter[Device] = Counter()
        self._calls: dict[Any, tuple[RayWorker, str]] = {}
        self._sharing: Sharing | None = None
        self._token: Path | None = None
        self._trials = Path()

    @property
    def is_up(self) -> bool:
        """True if `start` will not have to wait for Ray, but may raise."""
        return self._runtime.done

    def comes_up(self, timeout: float) -> bool:
        """Tell whether Ray is up within `timeout` seconds, and at the first try."""
        return self._runtime.comes_up(timeout)

    def prestart(self, imports: Sequence[str] = ()) -> None:
        self._imports = tuple(dict.fromkeys((*self._imports, *imports)))
        self._runtime.begin()

    def start(self, context: TrialContext) -> None:
        self._imports = tuple(dict.fromkeys((*self._imports, *context.imports)))
        self._sharing = sharing_for(self.options.storage)
        self._runtime.require()
        self._state.workers.extend(self._early)
        self._early = []
        try:
            super().start(context)
        except ExecutorError:
            raise
        except Exception as error:
            raise ExecutorError(f"Ray cannot take the data: {_sentence(error)}") from error
        self._most_before = self._most()
        if not self._runtime.private:
            now, room = time.monotonic(), self._room()
            self._complain_at = {device: now + (_NO_ROOM if room[device] else 0.0) for device in self._devices}

    def most_on(self, device: Device) -> int:
        room, most = self._room(), self.options.max_workers
        if most is None:
            return max(1, self.options.min_workers, room[device])
        if len(self._devices) == 1:
            return most
        on_gpus = min(max(1, room[Device.GPU]), max(1, most - 1))
        return on_gpus if device is Device.GPU else max(1, most - on_gpus)

    def slots_on(self, device: Device) -> int:
        """One per worker that is up, and at least one; a worker need not wait until its trial's files are here."""
        if device not in self._devices:
            return 0
        pending = 0 if self._sharing is None else self._sharing.pending
        ready = self._ready_on(device)
        return max(1, ready) + min(pending, ready)

    @property
    def ready(self) -> int:
        """Workers that can take a trial, or run one."""
        return sum(map(self._ready_on, self._devices))

    def _ready_on(self, device: Device) -> int:
        return sum(worker.ready for worker in self._crew(device))

    def _room(self) -> Counter[Device]:
        """For how many workers the machines that there are have cores and GPUs, used ones included."""
        machines = self._runtime.machines
        if self._counted != (machines, self._devices):
            nodes = (self.options.workers_on_node(*machine, self._devices) for machine in machines)
            self._counted, self._places = (machines, self._devices), sum(nodes, Counter())
        return self._places

    def _most(self) -> Counter[Device]:
        return Counter({device: self.most_on(device) for device in self._devices})

    def _gpus_of_each(self) -> float:
        return gpus_of_each(self.options, max((gpus for _, gpus in self._runtime.machines), default=0.0))

    @property
    def closing_seconds(self) -> float:
        return 2.5  # a private Ray: 1.4 s on two quiet cores

    def close(self) -> None:
        if self._runtime.done:
            super().close()
            self._kill(self._early)
        if self._sharing is not None:
            self._sharing.close()
        self._runtime.close()

    def submit(self, spec: TrialSpec) -> None:
        assert self._sharing is not None
        self._trials = spec.directory.parent
        self._token = self._sharing.prepare(spec)
        super().submit(spec)

    def wait(self, timeout: float) -> list[Event]:
        if self._runtime.lost:
            raise ExecutorError(
                f"Ray {self._runtime.place} is lost: {self._runtime.lost}. What has ended is kept; once there is a Ray "
                f"again, 'automl resume {self._trials.parent}' continues."
            )
        for device in tuple(self._complain_at):
            if self._ready_on(device):
                del self._complain_at[device]
            elif time.monotonic() > self._complain_at[device]:
                self._complain(device)
        self._follow_cluster()
        return super().wait(timeout)

    def _complain(self, device: Device) -> None:
        """Say once that nothing runs on `device`, and why."""
        del self._complain_at[device]
        needed = cores_text(self.options.cpus_per_trial)
        if device is Device.GPU:
            needed += f" and {gpus_text(self.gpus_per_trial)}"
        if self._room()[device]:
            log.warning("Ray has had no free machine with %s for %.0f s; trials wait until it has.", needed, _NO_ROOM)
        else:
            largest = max((cores for cores, _ in self._runtime.machines), default=0.0)
            log.warning(
                "Ray %s has no machine with %s (the largest has %s); trials wait until one joins.",
                self._runtime.place,
                needed,
                cores_text(largest),
            )

    def _follow_cluster(self) -> None:
        """Use machines that have joined; workers that waited for one that has left need not wait any longer."""
        before, self._most_before, submitted = self._most_before, self._most(), self._submitted_on()
        for device, most in self._most_before.items():
            if most > before[device] and submitted[device] and submitted[device] >= self._ready_on(device):
                self._want(submitted[device], device)
            self._state.wanted[device] = min(self._state.wanted[device], most)
            crew = self._crew(device)
            for worker in [worker for worker in crew if not worker.ready][: max(0, len(crew) - most)]:
                self._remove(worker)

    def _launch_early(self) -> None:
        """Workers without GPUs; unless there may be some with: what has to be of which kind shows at the start."""
        if not self._gpus_of_each():
            self._early = [self._launch(Device.CPU) for _ in range(self.most_on(Device.CPU))]

    def _want(self, workers: int, device: Device) -> None:
        """All that there may be, once every worker that is up has a trial: the driver may have more of them."""
        super()._want(self.most_on(device) if workers >= self._ready_on(device) else workers, device)

    @property
    def _storage(self) -> str | None:
        return self.options.storage

    def _deliver(self, spec: TrialSpec, finished: Ended) -> None:
        assert self._sharing is not None
        self._state.events.extend(self._sharing.take(spec, finished))

    def _may_launch(self, starting: int, first: bool) -> bool:
        return True

    def _launch(self, device: Device) -> WorkerHandle:
        actor = RayWorker(device, self.options, self._imports, lambda: self._token)
        if self._payload is not None:
            actor.load(self._payload)
        return actor

    def _prepare(self, payload: Payload) -> Any:
        import ray

        return [_shared(ray, part) for part in (payload.head, *payload.buffers)]

    def _poll(self, timeout: float) -> Sequence[tuple[WorkerHandle, Message]]:
        import ray

        self._arm()
        if self._sharing is not None and self._sharing.pending:
            self._state.events.extend(self._sharing.done())
            timeout = 0.0 if self._state.events else min(timeout, _FETCHING)
        if not self._calls:
            time.sleep(timeout)
            return []
        ready, _ = ray.wait(list(self._calls), timeout=timeout)
        return [item for call in ready if call in self._calls for item in self._answer(call)]

    def _arm(self) -> None:
        """Have every call's answer waited for."""
        for worker in self._state.workers:
            if isinstance(worker, RayWorker) and worker.calls:
                self._calls.update({call: (worker, kind) for call, kind in worker.calls})
                worker.calls.clear()

    def _answer(self, call: Any) -> list[tuple[WorkerHandle, Message]]:
        """Return what the answer to a call says."""
        import ray

        worker, kind = self._calls.pop(call)
        try:
            answer = ray.get(call)
        except ray.exceptions.RayTaskError as error:
            return [(worker, Died(f"Ray cannot bring back what worker {worker.address} says: {_sentence(error)}"))]
        except ray.exceptions.RayError as error:
            return [(worker, _death(worker, error))]
        if kind == "load":
            worker.listen()
            return [(worker, answer)]
        if kind == "news":
            worker.seen += len(answer)
            worker.listen()
            return [(worker, message) for message in answer]
        if answer is None:
            raise ExecutorError(
                f"Worker {worker.address} does not see {self._trials}, so the machines of this Ray cluster share no "
                "disk: name a place that all can reach, a path or a URL, in compute.storage."
            )
        taken, rest = answer
        late = self._late_news(worker) if worker.seen < taken else []
        return [*late, *((worker, message) for message in rest)]

    def _late_news(self, worker: RayWorker) -> list[tuple[WorkerHandle, Message]]:
        """Messages that were given away before the run had ended, but have been overtaken by its answer."""
        import ray

        calls = [call for call, (owner, kind) in self._calls.items() if owner is worker and kind == "news"]
        ready, _ = ray.wait(calls, timeout=_LATE) if calls else ([], [])
        return [item for call in ready for item in self._answer(call) if not isinstance(item[1], Died)]

    def _kill(self, workers: Sequence[WorkerHandle]) -> list[tuple[WorkerHandle, Message]]:
        """Kill actors. What they have started is killed by their watchdogs, on whatever machine that is."""
        import ray

        if self._runtime.lost:  # no call would return; what is left ends with the cluster
            return []
        self._arm()
        heard: list[tuple[WorkerHandle, Message]] = []
        for worker in workers:
            assert isinstance(worker, RayWorker)
            calls = [call for call, (owner, _) in self._calls.items() if owner is worker]
            ready, _ = ray.wait(calls, num_returns=len(calls), timeout=0) if calls else ([], [])
            answers = [item for call in ready if call in self._calls for item in self._answer(call)]
            heard.extend(item for item in answers if not isinstance(item[1], Died))
            for call in calls:
                self._calls.pop(call, None)
            ray.kill(worker.actor, no_restart=True)
        return heard


def _shared(ray: Any, part: Any) -> Any:
    """`part`, or a reference to it if it is large: it then travels to each machine once."""
    import numpy as np

    array = np.frombuffer(part, dtype=np.uint8)
    return ray.put(array) if array.nbytes > _SMALL else bytes(part)


def _death(worker: RayWorker, error: Exception) -> Died:
    import ray

    if isinstance(error, ray.exceptions.OutOfMemoryError):
        reason = f"Ray ended the worker, since its machine ran out of memory: {_sentence(error)}"
        return Died(reason, Status.OUT_OF_MEMORY)
    return Died(f"worker {worker.address or 'that was starting'} is lost: {_sentence(error)}")


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:_SENTENCE]

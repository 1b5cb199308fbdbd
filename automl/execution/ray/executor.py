"""The Ray executor: one long-lived actor per worker."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from automl.deadline import Deadline
from automl.errors import ExecutorError
from automl.execution.base import Event
from automl.execution.handle import WorkerHandle
from automl.execution.messages import Died, Message
from automl.execution.options import ComputeOptions
from automl.execution.payload import Payload
from automl.execution.pool import Pool
from automl.execution.ray.runtime import RayRuntime
from automl.trial.contract import Status, StopReason, TrialContext, TrialSpec
from automl.trial.threads import thread_environment

__all__ = ["RayExecutor"]

log = logging.getLogger("automl")

_SMALL = 100 * 2**10
"""Bytes up to which Ray sends an argument along with the call."""
_NO_ROOM = 30.0
"""Seconds without any worker after which a line says so."""
_LATE = 5.0
"""Seconds to wait for reports that an actor has already given away."""
_SENTENCE = 300
"""Characters of Ray's explanations that are kept."""


class RayExecutor(Pool):
    """All workers are started at once; trials begin when the first is up.

    See `RayRuntime` for which Ray is used.
    """

    name: ClassVar[str] = "ray"

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        super().__init__(options, deadline)
        self._runtime = RayRuntime(self.options, after=self._launch_early)
        self._early: list[WorkerHandle] = []
        self._complain_at: float | None = None
        self._calls: dict[Any, tuple[_Actor, str]] = {}

    @property
    def is_up(self) -> bool:
        """`start` will not have to wait for Ray, but may raise."""
        return self._runtime.done

    def prestart(self, imports: Sequence[str] = ()) -> None:
        self._imports = tuple(dict.fromkeys((*self._imports, *imports)))
        self._runtime.begin()

    def start(self, context: TrialContext) -> None:
        self._imports = tuple(dict.fromkeys((*self._imports, *context.imports)))
        self._runtime.require()
        self._complain_at = time.monotonic() + _NO_ROOM
        self._state.workers.extend(self._early)
        self._early = []
        try:
            super().start(context)
        except ExecutorError:
            raise
        except Exception as error:
            raise ExecutorError(f"Ray cannot take the data: {_sentence(error)}") from error

    @property
    def most(self) -> int:
        return self.options.workers_on(self._runtime.cpus)

    @property
    def slots(self) -> int:
        """One per worker that is up, and at least one."""
        return max(1, self.ready)

    @property
    def ready(self) -> int:
        """Workers that can take a trial, or run one."""
        return sum(worker.ready for worker in self._state.workers)

    @property
    def is_complete(self) -> bool:
        """All workers are up."""
        return self.ready >= self.most

    @property
    def closing_seconds(self) -> float:
        return 2.5  # a private Ray: 1.4 s on two quiet cores

    def close(self) -> None:
        if self._runtime.done:
            super().close()
            self._kill(self._early)
        self._runtime.close()

    def wait(self, timeout: float) -> list[Event]:
        if self._complain_at is not None and self.ready:
            self._complain_at = None
        elif self._complain_at is not None and time.monotonic() > self._complain_at:
            self._complain_at = None
            log.warning(
                "Ray has had no free machine with %g cores for %.0f s; trials wait until it has.",
                self.options.cpus_per_trial,
                _NO_ROOM,
            )
        return super().wait(timeout)

    def _launch_early(self) -> None:
        self._early = [self._launch() for _ in range(self.most)]

    def _want(self, workers: int) -> None:
        super()._want(self.most)

    def _may_launch(self, starting: int, first: bool) -> bool:
        return True

    def _launch(self) -> WorkerHandle:
        actor = _Actor(self.options, self._imports)
        if self._payload is not None:
            actor.load(self._payload)
        return actor

    def _prepare(self, payload: Payload) -> Any:
        import ray

        return [_shared(ray, part) for part in (payload.head, *payload.buffers)]

    def _poll(self, timeout: float) -> Sequence[tuple[WorkerHandle, Message]]:
        import ray

        self._arm()
        if not self._calls:
            time.sleep(timeout)
            return []
        ready, _ = ray.wait(list(self._calls), timeout=timeout)
        return [item for call in ready if call in self._calls for item in self._answer(call)]

    def _arm(self) -> None:
        """Have every call's answer waited for."""
        for worker in self._state.workers:
            if isinstance(worker, _Actor) and worker.calls:
                self._calls.update({call: (worker, kind) for call, kind in worker.calls})
                worker.calls.clear()

    def _answer(self, call: Any) -> list[tuple[WorkerHandle, Message]]:
        """What the answer to a call says."""
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
        if kind == "reports":
            worker.seen += len(answer)
            worker.listen()
            return [(worker, report) for report in answer]
        taken, rest, finished = answer
        late = self._late_reports(worker) if worker.seen < taken else []
        return [*late, *((worker, report) for report in rest), (worker, finished)]

    def _late_reports(self, worker: _Actor) -> list[tuple[WorkerHandle, Message]]:
        """Reports that were given away before the result was, but have been overtaken by it."""
        import ray

        calls = [call for call, (owner, kind) in self._calls.items() if owner is worker and kind == "reports"]
        ready, _ = ray.wait(calls, timeout=_LATE) if calls else ([], [])
        return [item for call in ready for item in self._answer(call) if not isinstance(item[1], Died)]

    def _kill(self, workers: Sequence[WorkerHandle]) -> list[tuple[WorkerHandle, Message]]:
        """Kill actors. What they have started is killed by their wardens, on whatever machine that is."""
        import ray

        self._arm()
        heard: list[tuple[WorkerHandle, Message]] = []
        for worker in workers:
            assert isinstance(worker, _Actor)
            calls = [call for call, (owner, _) in self._calls.items() if owner is worker]
            ready, _ = ray.wait(calls, num_returns=len(calls), timeout=0) if calls else ([], [])
            answers = [item for call in ready if call in self._calls for item in self._answer(call)]
            heard.extend(item for item in answers if not isinstance(item[1], Died))
            for call in calls:
                self._calls.pop(call, None)
            ray.kill(worker.actor, no_restart=True)
        return heard


class _Actor(WorkerHandle):
    """One actor, from the driver's side.

    Attributes:
        calls: made, and not yet waited for.
        seen: reports of the present trial that have arrived.
    """

    def __init__(self, options: ComputeOptions, imports: Sequence[str]) -> None:
        from automl.execution.ray.actor import REMOTE_ACTOR

        super().__init__(uuid.uuid4().hex)
        environment = thread_environment(max(1, int(options.cpus_per_trial)))
        placed = REMOTE_ACTOR.options(num_cpus=options.cpus_per_trial, scheduling_strategy="SPREAD")
        self.actor = placed.remote(self.mark, environment, tuple(imports))
        self.calls: list[tuple[Any, str]] = []
        self.seen = 0

    def load(self, payload: Any) -> None:
        self.calls.append((self.actor.load.remote(*payload), "load"))

    def run(self, spec: TrialSpec) -> None:
        self.seen = 0
        self.calls.append((self.actor.run.remote(spec), "run"))

    def stop(self, number: int, attempt: int, reason: StopReason) -> None:
        self.actor.stop.remote(number, attempt, reason)

    def listen(self) -> None:
        """Ask for the next reports."""
        self.calls.append((self.actor.reports.remote(), "reports"))


def _shared(ray: Any, part: Any) -> Any:
    """`part`, or a reference to it if it is large: it then travels to each machine once."""
    import numpy as np

    array = np.frombuffer(part, dtype=np.uint8)
    return ray.put(array) if array.nbytes > _SMALL else bytes(part)


def _death(worker: _Actor, error: Exception) -> Died:
    import ray

    if isinstance(error, ray.exceptions.OutOfMemoryError):
        reason = f"Ray ended the worker, since its machine ran out of memory: {_sentence(error)}"
        return Died(reason, Status.OUT_OF_MEMORY)
    return Died(f"worker {worker.address or 'that was starting'} is lost: {_sentence(error)}")


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:_SENTENCE]

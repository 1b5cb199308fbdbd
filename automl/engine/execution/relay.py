"""Trials that run in local processes until Ray is up, and then in Ray's workers."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence

from automl.deadline import Deadline
from automl.engine.execution.base import Event, Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.pool import Pool
from automl.engine.execution.process import ProcessExecutor
from automl.engine.execution.ray.executor import RayExecutor
from automl.engine.trial.contract import Device, StopReason, TrialContext, TrialResult, TrialSpec
from automl.engine.trial.cores import usable_cores
from automl.errors import ExecutorError

__all__ = ["Relay"]

log = logging.getLogger("automl")

_TURN = 0.01
"""Seconds to listen to one kind of worker while both kinds run trials."""
_LOOK = 0.2
"""Seconds between two looks whether Ray is up."""


class Relay(Executor):
    """Both kinds of workers take trials from the moment that Ray is up; the processes end as they become idle.

    Trials stay in processes if Ray cannot be started, and one line says so; but a cluster that was asked for by its
    address must be there. Who derives this says when Ray begins to boot, and whether processes are there at all.
    """

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        self._options = options or ComputeOptions()
        self._deadline = deadline or Deadline.after(None)
        self._local: ProcessExecutor | None = None
        self._ray: RayExecutor | None = None
        self._ray_serves = self._ray_is_out = False
        self._context: TrialContext | None = None
        self._place: dict[int, ProcessExecutor | RayExecutor] = {}

    @property
    def _serving(self) -> list[Pool]:
        """The executors that run trials."""
        executors = [self._local, self._ray if self._ray_serves else None]
        return [executor for executor in executors if executor is not None]

    @property
    def slots(self) -> int:
        """Slots of the processes, or Ray's where these are more: both kinds share them."""
        return max(executor.slots for executor in self._serving)

    def slots_on(self, device: Device) -> int:
        return max(executor.slots_on(device) for executor in self._serving)

    @property
    def ahead(self) -> int:
        serving = self._serving
        return serving[0].ahead if len(serving) == 1 else 0

    @property
    def gpus_per_trial(self) -> float:
        return max(executor.gpus_per_trial for executor in self._serving)

    @property
    def gpu_memory(self) -> int | None:
        return min((size for executor in self._serving if (size := executor.gpu_memory) is not None), default=None)

    @property
    def local_workers(self) -> Collection[int] | None:
        kinds = [executor.local_workers for executor in (self._local, self._ray) if executor is not None]
        if any(workers is None for workers in kinds):
            return None
        return [pid for workers in kinds for pid in workers or ()]

    def submit(self, spec: TrialSpec) -> None:
        place = self._where()
        self._place[spec.number] = place
        place.submit(spec)

    def wait(self, timeout: float) -> list[Event]:
        ends = time.monotonic() + timeout
        while True:
            self._advance()
            events = self._listen(max(0.0, ends - time.monotonic()))
            for event in events:
                if isinstance(event, TrialResult):
                    self._place.pop(event.number, None)
            if events or time.monotonic() >= ends:
                return events

    def stop(self, number: int, reason: StopReason, *, grace: float = 1.0) -> None:
        place = self._place.get(number)
        if place is not None:
            place.stop(number, reason, grace=grace)

    @property
    def closing_seconds(self) -> float:
        with_ray = self._ray is not None and not self._ray_is_out
        return self._ray.closing_seconds if self._ray is not None and with_ray else super().closing_seconds

    def close(self) -> None:
        for executor in (self._local, self._ray):
            if executor is not None:
                executor.close()

    def _where(self) -> ProcessExecutor | RayExecutor:
        """Choose where the next trial runs: in Ray's workers, as soon as one of them is free."""
        if self._local is not None and not (self._ray_serves and self._ray_has_room()):
            return self._local
        assert self._ray is not None
        return self._ray

    def _ray_has_room(self) -> bool:
        return self._ray is not None and self._ray.in_flight < self._ray.ready

    def _listen(self, timeout: float) -> list[Event]:
        """Events of both kinds of workers; waits up to `timeout` seconds, or less."""
        ray = self._ray if self._ray_serves else None
        local = self._local
        if local is None:
            assert ray is not None
            return ray.wait(timeout)
        if ray is None:
            return local.wait(min(timeout, _LOOK) if self._ray is not None else timeout)
        return local.wait(min(timeout, _TURN)) + ray.wait(min(timeout, _TURN))

    def _begin_local(self, imports: Sequence[str]) -> None:
        self._local = self._local or ProcessExecutor(_of_this_machine(self._options), self._deadline)
        self._local.prestart(imports)

    def _start_local(self, context: TrialContext) -> None:
        self._local = self._local or ProcessExecutor(_of_this_machine(self._options), self._deadline)
        self._local.start(context)

    def _leave_to_ray(self, context: TrialContext) -> None:
        """Run trials in Ray's workers alone; waits until it is up.

        Raises:
            ExecutorError: it cannot be used.
        """
        assert self._ray is not None
        if self._local is not None:
            self._local.close()
            self._local = None
        self._ray.start(context)
        self._ray_serves = True

    def _begin_ray(self, imports: Sequence[str]) -> None:
        if self._ray is None:
            self._ray = RayExecutor(self._options, self._deadline)
            self._ray.prestart(imports)

    def _advance(self) -> None:
        """Take the next step from processes to Ray, if it is time."""
        if self._ray is None or self._ray_is_out:
            return
        if not self._ray_serves and self._ray.is_up:
            self._hand_over()
        elif self._ray_serves and self._local is not None and self._is_replaced(self._local):
            self._local.close()
            self._local = None

    def _is_replaced(self, local: ProcessExecutor) -> bool:
        """Tell whether no trial runs in processes any longer, and Ray can run as many."""
        assert self._ray is not None
        return not local.in_flight and self._ray.ready >= min(self._ray.most, local.most)

    def _hand_over(self) -> None:
        assert self._ray is not None
        assert self._context is not None
        try:
            self._ray.start(self._context)
            self._ray_serves = True
        except ExecutorError as error:
            if self._options.address not in (None, "local"):
                raise
            self._stay(error)

    def _stay(self, cause: ExecutorError) -> None:
        assert self._ray is not None
        self._ray_is_out = True
        self._ray.close()  # should it still come up, it is no longer needed
        log.warning("Trials stay in processes of this machine. %s", cause)


def _of_this_machine(options: ComputeOptions) -> ComputeOptions:
    """`options` without the workers that are meant for a cluster."""
    if not options.address or options.max_workers is None:
        return options
    here = max(1, options.workers_on_node(usable_cores(), 0, (Device.CPU,))[Device.CPU])
    return options.model_copy(
        update={"max_workers": min(options.max_workers, here), "min_workers": min(options.min_workers, here)}
    )

"""The default: trials start in local processes at once, and go to Ray's workers when Ray is up."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Collection, Sequence
from typing import ClassVar

from automl.deadline import Deadline
from automl.errors import ExecutorError
from automl.execution.base import Event, Executor
from automl.execution.options import ComputeOptions
from automl.execution.pool import Pool
from automl.execution.process import ProcessExecutor
from automl.execution.ray.executor import RayExecutor
from automl.execution.ray.runtime import BOOT_SECONDS, check_address
from automl.trial.contract import Device, StopReason, TrialContext, TrialResult, TrialSpec
from automl.trial.cores import usable_cores

__all__ = ["AutoExecutor"]

log = logging.getLogger("automl")

_WORTHWHILE = 60.0
"""Seconds that must be left for Ray to be started. Boot and shutdown take 4 to 7 s of two quiet cores, which is a tenth
of a minute, and on one machine Ray's workers are no faster than processes."""
_TURN = 0.01
"""Seconds to listen to one kind of worker while both kinds run trials."""


class AutoExecutor(Executor):
    """Boots Ray in the background with the first trial after a result; then the processes end as they become idle. A
    trial that is to have the machine to itself is no reason to boot it.

    Where the time is too short for a Ray of our own to pay, trials stay in processes, and one line says so. They also
    stay there if Ray cannot be started; but a cluster that was asked for by its address must be there.

    Where trials use GPUs none is moved, since processes and Ray would give the same GPU away twice: all run in Ray's
    workers if there is a Ray already, and else in processes.
    """

    name: ClassVar[str] = "auto"

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        self._options = options or ComputeOptions()
        self._deadline = deadline or Deadline.after(None)
        straight = bool(self._options.gpus_per_trial) and _is_there(self._options)
        self._local = None if straight else ProcessExecutor(_of_this_machine(self._options), self._deadline)
        self._ray: RayExecutor | None = None
        self._ray_starts = self._ray_serves = self._ray_is_out = self._has_result = False
        self._ray_began = 0.0
        self._context: TrialContext | None = None
        self._place: dict[int, ProcessExecutor | RayExecutor] = {}

    def prestart(self, imports: Sequence[str] = ()) -> None:
        if self._local is not None:
            self._local.prestart(imports)
        elif self._ray is None:
            self._begin_ray(imports)

    def start(self, context: TrialContext) -> None:
        self._context = context
        if self._options.address:
            check_address(self._options.address)
        wants_gpus = self._options.gpus_per_trial != 0 and Device.GPU in context.devices
        if self._local is not None and wants_gpus and _is_there(self._options):
            self._local.close()
            self._local = None
        if self._local is not None:
            self._local.start(context)
        if self._ray is None and _is_there(self._options):
            self._begin_ray(context.imports)
        if self._local is None:
            assert self._ray is not None
            self._ray.start(context)
            self._ray_serves = True

    @property
    def _serving(self) -> list[Pool]:
        """Who runs trials."""
        executors = [self._local, self._ray if self._ray_serves else None]
        return [executor for executor in executors if executor is not None]

    @property
    def slots(self) -> int:
        """Those of the processes, or Ray's where these are more: both kinds share them."""
        return max(executor.slots for executor in self._serving)

    def slots_on(self, device: Device) -> int:
        return max(executor.slots_on(device) for executor in self._serving)

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
        if self._has_result and not self._ray_starts and not spec.resources.alone:
            self._decide()
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
            self._has_result = self._has_result or any(isinstance(event, TrialResult) for event in events)
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
        """Where the next trial runs: in Ray's workers, as soon as one of them is free."""
        if self._ray is not None and self._ray_serves and self._ray.in_flight < self._ray.ready:
            return self._ray
        if self._local is None:
            assert self._ray is not None
            return self._ray
        return self._local

    def _listen(self, timeout: float) -> list[Event]:
        """Events of both kinds of workers; waits up to `timeout` seconds, or less."""
        ray = self._ray if self._ray_serves else None
        local = self._local
        if local is None:
            assert ray is not None
            return ray.wait(timeout)
        if ray is None:
            return local.wait(min(timeout, 0.2) if self._ray_starts else timeout)
        return local.wait(min(timeout, _TURN)) + ray.wait(min(timeout, _TURN))

    def _decide(self) -> None:
        """After the first result, with more to do: is Ray to be started?"""
        self._ray_starts = True
        left = self._deadline.remaining()
        if self.gpus_per_trial:
            self._ray_is_out = True
        elif left < _WORTHWHILE:
            self._ray_is_out = True
            log.info("Trials run in processes of this machine: the %.0f s left are too short to start Ray.", left)
        else:
            self._begin_ray(() if self._context is None else self._context.imports)

    def _begin_ray(self, imports: Sequence[str]) -> None:
        self._ray_starts, self._ray_began = True, time.monotonic()
        self._ray = RayExecutor(self._options, self._deadline)
        self._ray.prestart(imports)

    def _advance(self) -> None:
        """Take the next step from processes to Ray, if it is time."""
        if self._ray is None or self._ray_is_out:
            return
        if not self._ray_serves and self._ray.is_up:
            self._hand_over()
        elif not self._ray_serves and time.monotonic() - self._ray_began > BOOT_SECONDS:
            self._stay(f"Ray was not up after {BOOT_SECONDS:.0f} s.")
        elif self._ray_serves and self._local is not None and self._is_replaced(self._local):
            self._local.close()
            self._local = None

    def _is_replaced(self, local: ProcessExecutor) -> bool:
        """No trial runs in processes any more, and Ray can run as many."""
        assert self._ray is not None
        return not local.in_flight and self._ray.ready >= min(self._ray.most, local.most)

    def _hand_over(self) -> None:
        assert self._ray is not None
        assert self._context is not None
        try:
            self._ray.start(self._context)
            self._ray_serves = True
        except ExecutorError as error:
            if self._options.address:
                raise
            self._stay(str(error))

    def _stay(self, cause: str) -> None:
        self._ray_is_out = True
        log.warning("Trials stay in processes of this machine. %s", cause)


def _of_this_machine(options: ComputeOptions) -> ComputeOptions:
    """`options` without the workers that are meant for a cluster."""
    if not options.address or options.max_workers is None:
        return options
    here = max(1, options.workers_on_node(usable_cores(), 0, (Device.CPU,))[Device.CPU])
    return options.model_copy(
        update={"max_workers": min(options.max_workers, here), "min_workers": min(options.min_workers, here)}
    )


def _is_there(options: ComputeOptions) -> bool:
    """A Ray runs already, and need only be joined."""
    ray = sys.modules.get("ray")
    return bool(options.address or os.environ.get("RAY_ADDRESS") or (ray is not None and ray.is_initialized()))

"""The default: trials start in local processes at once; Ray joins them where it is there, or time is plentiful."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar

from automl.deadline import Deadline
from automl.engine.execution.base import Event
from automl.engine.execution.cores import joins_cluster
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.runtime import check_address
from automl.engine.execution.relay import Relay
from automl.engine.trial.contract import Device, TrialContext, TrialResult, TrialSpec
from automl.engine.trial.cores import usable_cores

__all__ = ["AutoExecutor"]

log = logging.getLogger("automl")

_WORTHWHILE = 600.0
"""Seconds that must be left for a Ray of our own to be started: its boot and shutdown, 4 to 7 s of two quiet cores, are
then about a hundredth of them. It may not cost more: on one machine its workers are no faster than processes."""


class AutoExecutor(Relay):
    """Boots Ray in the background with the first trial after a result. A trial that is to have the machine to itself is
    no reason to boot it.

    A Ray that runs already, or a cluster that was asked for by its address, is joined at once. Where neither is there,
    and the time is too short for a Ray of our own, trials stay in processes, and one line says so.

    Where trials use GPUs none is moved, since processes and Ray would give the same GPU away twice: all run in Ray's
    workers if there is a Ray already, and else in processes.
    """

    name: ClassVar[str] = "auto"

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        super().__init__(options, deadline)
        self._has_result = self._has_decided = False

    def prestart(self, imports: Sequence[str] = ()) -> None:
        if joins_cluster(self._options) and (self._options.gpus_per_trial or self._too_large_for_here):
            self._begin_ray(imports)
        else:
            self._begin_local(imports)

    def start(self, context: TrialContext) -> None:
        self._context = context
        joins = joins_cluster(self._options)
        uses_gpus = self._options.gpus_per_trial != 0 and Device.GPU in context.devices
        if joins and self._options.address:
            check_address(self._options.address)
        if joins:
            self._begin_ray(context.imports)
        if joins and (uses_gpus or self._too_large_for_here):
            self._leave_to_ray(context)
        else:
            self._start_local(context)

    @property
    def _too_large_for_here(self) -> bool:
        return self._options.cpus_per_trial > usable_cores()

    def submit(self, spec: TrialSpec) -> None:
        if self._has_result and self._ray is None and not self._has_decided and not spec.resources.alone:
            self._decide()
        super().submit(spec)

    def wait(self, timeout: float) -> list[Event]:
        events = super().wait(timeout)
        self._has_result = self._has_result or any(isinstance(event, TrialResult) for event in events)
        return events

    def _decide(self) -> None:
        """After the first result, with more to do: is Ray to be started?"""
        self._has_decided = True
        left = self._deadline.remaining()
        if self.gpus_per_trial:
            return
        if left < _WORTHWHILE:
            log.info("Trials run in processes of this machine: the %.0f s left are too short to start Ray.", left)
        else:
            self._begin_ray(() if self._context is None else self._context.imports)

"""Execution where Ray was asked for: a cluster, or a Ray of this machine, which may take its time to come up."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import ClassVar

from automl.deadline import Deadline
from automl.engine.execution.cores import joins_cluster
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.relay import Relay
from automl.engine.trial.contract import Device, TrialContext
from automl.errors import ExecutorError

__all__ = ["RayFirst"]

log = logging.getLogger("automl")

_PATIENCE = 30.0
"""Seconds for which Ray is waited for, from its start on: it boots in 3 s on a quiet machine, in 25 on a busy one."""
_SHARE = 0.1
"""The share of the time left that may be spent on waiting."""


class RayFirst(Relay):
    """Trials run in Ray's workers: of the cluster that `address` or RAY_ADDRESS names, of a Ray that runs already, or
    else of one that is started here.

    One that is started here and does not come up at once does not hold the search up: trials begin in local processes,
    which a line says, while it is tried again, and move when it is up. Only where they use GPUs they all wait for it,
    since processes and Ray would give the same GPU away twice.
    """

    name: ClassVar[str] = "ray"

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        super().__init__(options, deadline)
        self._joins = False
        self._patient_until = 0.0

    def prestart(self, imports: Sequence[str] = ()) -> None:
        if self._ray is None:
            self._joins = joins_cluster(self._options)
            self._patient_until = time.monotonic() + min(_PATIENCE, _SHARE * self._deadline.remaining())
            self._begin_ray(imports)

    def start(self, context: TrialContext) -> None:
        self._context = context
        self.prestart(context.imports)
        assert self._ray is not None
        wants_gpus = self._options.gpus_per_trial != 0 and Device.GPU in context.devices
        if self._joins or self._ray.comes_up(self._patient_until - time.monotonic()):
            self._leave_to_ray(context)
        elif wants_gpus:
            self._start_with_gpus(context)
        else:
            log.warning("Ray is not up yet. Trials run in processes of this machine until it is.")
            self._start_local(context)

    def _start_with_gpus(self, context: TrialContext) -> None:
        """Run trials in Ray's workers alone, or in processes alone."""
        try:
            self._leave_to_ray(context)
        except ExecutorError as error:
            self._stay(error)
            self._start_local(context)

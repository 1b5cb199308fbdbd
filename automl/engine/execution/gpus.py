"""The GPUs of this machine, and their distribution among worker processes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from automl.engine.execution.options import ComputeOptions
from automl.engine.trial.gpu import VISIBLE, visible_gpus
from automl.errors import ExecutorError

__all__ = ["GpuShares", "gpu_environment", "gpus_of_each", "gpus_text", "local_shares"]


def gpu_environment(gpus: str | None) -> Mapping[str, str]:
    """Environment variables of a worker.

    Args:
        gpus: that it may use, by the names that CUDA_VISIBLE_DEVICES takes; None if another has set them already.
    """
    if gpus == "":
        return {VISIBLE: ""}
    # CUDA counts the fastest GPU first unless it is told otherwise; nvidia-smi, Ray and we count along the PCI bus.
    order = {"CUDA_DEVICE_ORDER": os.environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")}
    return order if gpus is None else {**order, VISIBLE: gpus}


def gpus_text(gpus: float) -> str:
    """``2 GPUs``, for a sentence."""
    return f"{gpus:g} GPU{'' if gpus == 1 else 's'}"


def gpus_of_each(options: ComputeOptions, there: float) -> float:
    """GPUs of each trial that can use one: what was declared, else one where there are any.

    Args:
        there: GPUs that there are.
    """
    if options.gpus_per_trial is not None:
        return options.gpus_per_trial
    return 1.0 if there >= 1 else 0.0


class GpuShares:
    """Gives each worker its GPUs: a part of the one that the fewest others use, or some for itself.

    Args:
        options: `gpus_per_trial`, which must be declared and not 0.
        names: of the GPUs.

    Attributes:
        each: GPUs of each worker.
        there: GPUs.
    """

    def __init__(self, options: ComputeOptions, names: Sequence[str]) -> None:
        self.each = options.gpus_per_trial or 0.0
        self._whole = max(1, int(self.each))
        self._used = Counter(dict.fromkeys(names, 0))
        self._per_gpu = max(1, options.workers_on_gpus(1))
        self.there = len(names)

    def take(self) -> str:
        """CUDA_VISIBLE_DEVICES for one more worker; there must be room for it."""
        free = [name for name, used in sorted(self._used.items(), key=lambda item: item[1]) if used < self._per_gpu]
        taken = free[: self._whole]
        self._used.update(taken)
        return ",".join(taken)

    def give_back(self, taken: str) -> None:
        """Note that the worker that had been given `taken` is gone."""
        self._used.subtract(taken.split(","))


def local_shares(options: ComputeOptions) -> GpuShares | None:
    """The GPUs of this machine for trials that can use them; None if these need none.

    Raises:
        ExecutorError: a trial needs more than there are.
    """
    if options.gpus_per_trial == 0:
        return None
    names = visible_gpus()
    options = options.with_gpus(gpus_of_each(options, len(names)))
    if not options.gpus_per_trial:
        return None
    if not options.workers_on_gpus(len(names)):
        there = f"only {len(names)}" if names else "none"
        raise ExecutorError(
            f"A trial needs {gpus_text(options.gpus_per_trial)} (compute.gpus_per_trial), and this process sees "
            f"{there}. Set it to 0, look at {VISIBLE} and 'nvidia-smi', or name a Ray cluster in compute.address."
        )
    return GpuShares(options, names)

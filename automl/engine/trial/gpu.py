"""The use that a trial has made of its GPUs."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from automl.engine.trial.nvml import Gpu, gpu, gpu_count

__all__ = ["VISIBLE", "GpuMeter", "free_memory", "is_broken", "is_out_of_memory", "visible_gpus"]

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The environment variable by which CUDA's libraries are told which GPUs there are."""

_EVERY = 1.0
"""Seconds between two looks at how busy a GPU is: the driver itself averages over up to a second."""


def visible_gpus() -> tuple[str, ...]:
    """Return the GPUs that this process may use, named as CUDA_VISIBLE_DEVICES names them: numbers, or UUIDs."""
    told = os.environ.get(VISIBLE)
    if told is None:
        return tuple(str(number) for number in range(gpu_count()))
    names = [name.strip() for name in told.split(",")]
    valid = [name.isdigit() or name.startswith(("GPU-", "MIG-")) for name in names]
    return tuple(names[: valid.index(False)] if False in valid else names)  # CUDA too ends at the first invalid one


def free_memory() -> dict[str, int]:
    """Bytes that are free on each GPU that this process may use, by its UUID; nothing where the driver does not say."""
    found = [(device.uuid, device.free_memory) for device in _gpus()]
    return {uuid: free for uuid, free in found if uuid is not None and free is not None}


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether `error` says that torch has found no more memory on a GPU."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.cuda.OutOfMemoryError)


def is_broken() -> bool:
    """Tell whether this process can no longer use its GPUs: after a kernel has failed, every call of CUDA's does."""
    try:
        for device, cuda in _in_use():
            cuda.synchronize(device)
    except RuntimeError:
        return True
    return False


class GpuMeter:
    """Measures one trial, from now on until `stop`. It imports nothing: what loads no torch holds no GPU memory.

    Args:
        gpus: that the trial was given; without any it is not asked how busy they are.

    Attributes:
        memory: after `stop`, bytes that this process had taken from its GPUs at the peak: what torch's allocator
            reserved, which others could not use. None if torch used no GPU.
        utilization: after `stop`, mean share of the time in which the GPUs computed, 0 to 1; None if it is not known.
            A GPU that is shared is as busy as all who share it make it.
    """

    def __init__(self, gpus: float) -> None:
        self.memory: int | None = None
        self.utilization: float | None = None
        with contextlib.suppress(RuntimeError):
            for device, cuda in _in_use():
                cuda.reset_peak_memory_stats(device)
        self._gpus = _gpus() if gpus else []
        self._looks: list[float] = []
        self._ends = threading.Event()
        if self._gpus:
            threading.Thread(target=self._watch, name="automl-gpu", daemon=True).start()

    def stop(self) -> None:
        """Note that the trial has ended. What torch's allocator only keeps goes back to those who share the GPU."""
        self._ends.set()
        self._look()
        self.utilization = fmean(self._looks) if self._looks else None
        with contextlib.suppress(RuntimeError):  # see `is_broken`
            held = [cuda.max_memory_reserved(device) for device, cuda in _in_use()]
            self.memory = sum(held) if held else None
            for _, cuda in _in_use()[:1]:
                cuda.empty_cache()

    def _watch(self) -> None:
        while not self._ends.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        busy = [share for device in self._gpus if (share := device.utilization) is not None]
        if busy:
            self._looks.append(fmean(busy))


def _gpus() -> list[Gpu]:
    """List the GPUs that this process may use."""
    found = map(gpu, visible_gpus())
    return [device for device in found if device is not None]


def _in_use() -> Sequence[tuple[int, Any]]:
    """The GPUs that torch uses in this process, by its numbers, and `torch.cuda`."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return ()
    return [(device, torch.cuda) for device in range(torch.cuda.device_count())]

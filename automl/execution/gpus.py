"""The GPUs of this machine, and their distribution among worker processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from automl.errors import ExecutorError
from automl.execution.options import ComputeOptions

__all__ = ["HIDDEN", "VISIBLE", "GpuShares", "local_shares", "visible_gpus"]

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The environment variable by which CUDA's libraries are told which GPUs there are."""

HIDDEN = {VISIBLE: ""}
"""The environment of a trial that asked for no GPU."""

_LOOK = 10.0
"""Seconds that nvidia-smi may take: it wakes the driver."""


def visible_gpus() -> tuple[str, ...]:
    """What this process may use, by the names that CUDA_VISIBLE_DEVICES takes: numbers, or UUIDs."""
    told = os.environ.get(VISIBLE)
    if told is None:
        return tuple(str(number) for number in range(_installed()))
    names = [name.strip() for name in told.split(",")]
    valid = [name.isdigit() or name.startswith(("GPU-", "MIG-")) for name in names]
    return tuple(names[: valid.index(False)] if False in valid else names)  # CUDA too ends at the first invalid one


def _installed() -> int:
    """GPUs of this machine."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=_LOOK, check=True)
        return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
    with contextlib.suppress(OSError):
        return len(list(Path("/proc/driver/nvidia/gpus").iterdir()))
    return 0


class GpuShares:
    """Gives each worker its GPUs: a part of the one that the fewest others use, or some for itself.

    Args:
        options: `gpus_per_trial`, which must not be 0.
        names: of the GPUs.
    """

    def __init__(self, options: ComputeOptions, names: Sequence[str]) -> None:
        self._each = max(1, int(options.gpus_per_trial))
        self._used = Counter(dict.fromkeys(names, 0))
        self._per_gpu = max(1, options.workers_on_gpus(1))
        self.workers = options.workers_on_gpus(len(names))

    def take(self) -> str:
        """CUDA_VISIBLE_DEVICES for one more worker; there must be room for it."""
        free = [name for name, used in sorted(self._used.items(), key=lambda item: item[1]) if used < self._per_gpu]
        taken = free[: self._each]
        self._used.update(taken)
        return ",".join(taken)

    def give_back(self, taken: str) -> None:
        """The worker that had been given `taken` is gone."""
        self._used.subtract(taken.split(","))


def local_shares(options: ComputeOptions) -> GpuShares | None:
    """The GPUs of this machine for trials; None for trials that need none.

    Raises:
        ExecutorError: a trial needs more than there are.
    """
    if not options.gpus_per_trial:
        return None
    names = visible_gpus()
    shares = GpuShares(options, names)
    if not shares.workers:
        there = f"only {len(names)}" if names else "none"
        raise ExecutorError(
            f"A trial needs {options.gpus_per_trial:g} GPUs (compute.gpus_per_trial), and of these this process sees "
            f"{there}. Set it to 0, look at {VISIBLE} and 'nvidia-smi', or name a Ray cluster in compute.address."
        )
    return shares

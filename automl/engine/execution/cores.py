"""The cores of this machine, for trials that run here."""

from __future__ import annotations

import os
import sys

from automl.engine.execution.options import BUILT_IN, ComputeOptions
from automl.engine.trial.cores import usable_cores
from automl.errors import ConfigError

__all__ = ["check_cores", "cores_text", "joins_cluster"]

_OF_THIS_MACHINE = ("inline", "process")


def joins_cluster(options: ComputeOptions) -> bool:
    """Tell whether a Ray is to be joined, or runs in this process already, which may have other machines than this."""
    address = options.address or os.environ.get("RAY_ADDRESS")
    is_initialized = getattr(sys.modules.get("ray"), "is_initialized", None)  # another thread may be importing it
    return address not in (None, "", "local") or (is_initialized is not None and is_initialized())


def cores_text(cores: float) -> str:
    """``2 cores``, for a sentence."""
    return f"{cores:g} core{'' if cores == 1 else 's'}"


def check_cores(options: ComputeOptions) -> None:
    """Refuse trials that need more cores than this machine has, if it is this machine that they will run on.

    What a cluster has is known once it is joined: there they wait for a machine that may still come.

    Raises:
        ConfigError: says how many there are.
    """
    if options.executor not in BUILT_IN or options.cpus_per_trial <= usable_cores():
        return
    if options.executor not in _OF_THIS_MACHINE and joins_cluster(options):
        return
    elsewhere = "" if options.executor in _OF_THIS_MACHINE else ", or name a Ray cluster in compute.address"
    raise ConfigError(
        f"A trial needs {cores_text(options.cpus_per_trial)}, and this process may use {usable_cores()}. "
        f"Set it to at most that{elsewhere}.",
        key="compute.cpus_per_trial",
    )

"""Give every library exactly the trial's cores: oversubscription can cost 40 times and more."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["limit_threads", "restore_threads", "thread_environment"]

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)


def thread_environment(threads: int) -> dict[str, str]:
    """Environment variables that hold libraries to `threads` threads. Read when a library is loaded, not later."""
    return dict.fromkeys(_VARIABLES, str(threads))


class _Limits:
    """The limits set at present. One per process, as the thread pools are."""

    def __init__(self) -> None:
        self.threads: int | None = None
        self.modules = -1
        self.controller: Any = None
        self.limiter: Any = None
        self.environment: dict[str, str | None] | None = None


_limits = _Limits()


def limit_threads(threads: int) -> None:
    """Hold the thread pools of all loaded libraries, and of those still to be loaded, to `threads` threads.

    The limit of OpenMP is that of the calling thread: call it in the thread that trains.
    """
    if threads != _limits.threads:
        _set_environment(threads)
        _limits.threads = threads
    if len(sys.modules) != _limits.modules:  # a library may have been loaded since; to look costs 2 ms
        from threadpoolctl import ThreadpoolController

        _limits.modules = len(sys.modules)
        _restore_pools()
        _limits.controller = ThreadpoolController()
    limiter = _limits.controller.limit(limits=threads)  # a model may have changed it: 10 microseconds
    _limits.limiter = _limits.limiter or limiter
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


def restore_threads() -> None:
    """Undo `limit_threads`, torch's apart: for a process that then does something else."""
    _restore_pools()
    for name, value in (_limits.environment or {}).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _limits.threads, _limits.modules, _limits.environment = None, -1, None


def _restore_pools() -> None:
    if _limits.limiter is not None:
        _limits.limiter.restore_original_limits()
        _limits.limiter = None


def _set_environment(threads: int) -> None:
    wanted = thread_environment(threads)
    if _limits.environment is None:
        _limits.environment = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)

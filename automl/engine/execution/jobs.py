"""The number of trials at once, and their processes, where scikit-learn's `n_jobs` is all that was said about it."""

from __future__ import annotations

import multiprocessing
import threading
from typing import Any

from automl.engine.trial.cores import usable_cores
from automl.errors import ConfigError

__all__ = ["local_executor", "workers_of"]

_FEW_TRIALS = 5
_FEW_CELLS = 20_000
"""Up to here a search is over before a worker process has imported what it needs."""


def workers_of(n_jobs: Any) -> int | None:
    """Trials at once; None for as many as the cores allow.

    Args:
        n_jobs: a positive number; -1 for all cores, -2 for all but one...; None for all cores, or for one inside a
            parallel loop of joblib's or in a worker of a multiprocessing pool, where the cores have been given away.

    Raises:
        ConfigError: it is none of these.
    """
    if n_jobs is None:
        return 1 if _cores_are_given_away() else None
    try:
        jobs = 0 if isinstance(n_jobs, bool) else int(n_jobs.__index__())
    except AttributeError:
        jobs = 0
    if jobs == 0:
        raise ConfigError(
            f"{n_jobs!r} is not a number of trials; write 1 or more, or -1 for one per core.", key="n_jobs"
        )
    if jobs > 0:
        return jobs
    return None if jobs == -1 else max(1, usable_cores() + 1 + jobs)


def local_executor(workers: int | None, *, trials: Any, cells: int, timed: bool) -> str:
    """``inline`` where worker processes would cost more than they bring and nothing has to be ended in time.

    Otherwise ``process``: processes start at once and are enough for one machine, while booting a cluster for a fit
    would cost seconds.

    Args:
        workers: as `workers_of` gives it.
        trials: how many at most, if that was said.
        cells: of the table.
        timed: the search, or a single trial, has a limit that may make it necessary to end a trial.
    """
    few = workers is None and isinstance(trials, int) and trials <= _FEW_TRIALS and cells <= _FEW_CELLS
    # Standard output, warnings and thread pools are the whole process's: inline is for who has it to himself.
    alone = threading.current_thread() is threading.main_thread()
    return "inline" if alone and not timed and (workers == 1 or few) else "process"


def _cores_are_given_away() -> bool:
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    return bool(getattr(backend, "nesting_level", 0)) or multiprocessing.current_process().daemon

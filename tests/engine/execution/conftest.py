"""What the tests of several executors share: a work that counts the threads that libraries start."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from automl.client import Run
from automl.engine.execution.base import Executor
from automl.engine.trial.contract import Outcome, Status, TrialContext, TrialResources, TrialResult, TrialSpec
from automl.engine.trial.cores import usable_cores
from automl.testing.driving import run_trials


@dataclass(frozen=True)
class _Busy:
    """A work that computes with libraries which have thread pools, as they are by default."""

    metric: str = "most"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        import lightgbm
        import numpy as np
        import threadpoolctl

        draw = np.random.default_rng(0)
        X = draw.normal(size=(5000, 60))
        data = lightgbm.Dataset(X, X.sum(axis=1))
        started = {
            "blas": _threads_started(lambda: X.T @ X @ X.T[:, :3000]),
            "lightgbm": _threads_started(lambda: lightgbm.train({"verbose": -1}, data, 3)),
        }
        try:
            import torch
        except ImportError:
            pass
        else:
            matrix = torch.from_numpy(X).float()
            started["torch"] = _threads_started(lambda: (matrix.T @ matrix).exp().sum())
            started["torch_says"] = torch.get_num_threads() - 1.0
        pools = {f"pool_{i}": pool["num_threads"] - 1.0 for i, pool in enumerate(threadpoolctl.threadpool_info())}
        return Outcome(value=0.0, metrics={**started, **pools})


def _threads_started(compute: Callable[[], object]) -> float:
    """Threads of a pool bear the name of the one that started it; Ray's own, which may start meanwhile, do not."""
    before = set(os.listdir("/proc/self/task"))
    compute()
    new = set(os.listdir("/proc/self/task")) - before
    own = _name_of(str(threading.get_native_id()))
    return float(sum(_name_of(thread) == own for thread in new))


def _name_of(thread: str) -> str | None:
    try:
        return Path(f"/proc/self/task/{thread}/comm").read_text(encoding="utf-8")
    except OSError:  # it has ended
        return None


for _piece in (_Busy, _threads_started, _name_of):
    _piece.__module__ = "__main__"  # so that it travels by value: workers cannot import this file


def _check(extra: dict[str, float], cpus: int) -> None:
    assert len(extra) > 3
    assert {name: count for name, count in extra.items() if count > cpus - 1} == {}
    assert extra["lightgbm"] == cpus - 1
    assert {count for name, count in extra.items() if name.startswith(("pool_", "torch_says"))} == {cpus - 1.0}


@pytest.fixture
def check_threads(tmp_path: Path) -> Callable[[Executor, int], None]:
    """Has an executor with one worker run a trial of some cores, and if these are fewer than there are, one in the
    same worker that is alone: the libraries use exactly as many threads as each has cores.
    """

    def run(executor: Executor, number: int, resources: TrialResources) -> dict[str, float]:
        (result,) = run_trials(executor, TrialSpec(number, "busy", {}, tmp_path / str(number), resources=resources))
        assert isinstance(result, TrialResult)
        assert result.status is Status.COMPLETED, result.failure
        return dict(result.metrics)  # by library, the threads besides the trial's own

    def check(executor: Executor, cpus: int) -> None:
        executor.start(TrialContext(_Busy()))
        _check(run(executor, 0, TrialResources(cpus)), cpus)
        if cpus < usable_cores():
            _check(run(executor, 1, TrialResources(math.inf, alone=True)), usable_cores())
        executor.close()

    return check

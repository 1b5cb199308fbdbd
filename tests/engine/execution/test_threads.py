"""Libraries use exactly the cores of their trial: the threads that they start are counted."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from automl.client import Run
from automl.engine.execution.base import Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.engine.execution.ray.executor import RayExecutor
from automl.engine.execution.ray.runtime import RayRuntime
from automl.engine.trial.contract import Outcome, Status, TrialContext, TrialResources, TrialResult, TrialSpec
from automl.engine.trial.cores import usable_cores
from automl.testing.driving import run_trials

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc"),
    pytest.mark.skipif(usable_cores() < 2, reason="one core: no library would start a second thread"),
]


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
            "lightgbm": _threads_started(lambda: lightgbm.train({"verbose": -1}, data, 20)),
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


@pytest.fixture(scope="module")
def ray_is_up() -> Iterator[None]:
    runtime = RayRuntime(ComputeOptions(max_workers=2))
    runtime.require()
    yield
    runtime.close()


def extra_threads(executor: Executor, cpus: float, folder: Path, *, alone: bool = False) -> dict[str, float]:
    """By library, the threads besides the trial's own."""
    executor.start(TrialContext(_Busy()))
    spec = TrialSpec(0, "busy", {}, folder / "0", resources=TrialResources(cpus, alone=alone))
    (result,) = run_trials(executor, spec)
    executor.close()
    assert isinstance(result, TrialResult)
    assert result.status is Status.COMPLETED, result.failure
    return dict(result.metrics)


def check(extra: dict[str, float], cpus: int) -> None:
    assert len(extra) > 3
    assert {name: count for name, count in extra.items() if count > cpus - 1} == {}
    assert extra["lightgbm"] == cpus - 1
    assert {count for name, count in extra.items() if name.startswith(("pool_", "torch_says"))} == {cpus - 1.0}


@pytest.mark.parametrize("cpus", [1, 2])
def test_in_processes(tmp_path: Path, cpus: int) -> None:
    check(extra_threads(ProcessExecutor(ComputeOptions(cpus_per_trial=cpus, max_workers=1)), cpus, tmp_path), cpus)


def test_a_trial_that_is_alone_uses_all_cores_of_a_worker_for_one(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(cpus_per_trial=1, max_workers=1))
    check(extra_threads(executor, math.inf, tmp_path, alone=True), usable_cores())


@pytest.mark.usefixtures("ray_is_up")
@pytest.mark.parametrize("cpus", [1, 2])
def test_in_rays_workers(tmp_path: Path, cpus: int) -> None:
    check(extra_threads(RayExecutor(ComputeOptions(cpus_per_trial=cpus, max_workers=1)), cpus, tmp_path), cpus)

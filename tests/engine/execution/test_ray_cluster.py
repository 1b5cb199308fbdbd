"""The Ray executor on a cluster of several nodes, each with a raylet of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.client import Run
from automl.engine.execution.auto import AutoExecutor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.executor import RayExecutor
from automl.engine.trial.contract import Device, Outcome, Status, TrialContext, TrialResources, TrialResult, TrialSpec
from automl.testing.driving import run_trials, until_exists, wait_for

STORE = 150 * 2**20
"""Bytes of each node's object store."""


@dataclass(frozen=True)
class _Places:
    """A work whose trials say where they run."""

    data: np.ndarray
    metric: str = "node"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        import psutil
        import ray

        memory = psutil.Process().memory_info()
        node = int(ray.get_runtime_context().get_node_id()[:8], 16)
        gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
        metrics = {
            "sum": float(self.data.sum()),
            "private": float(memory.rss - memory.shared),
            "gpu": -1.0 if gpus == "" else float(gpus.split(",")[0]),
        }
        mine = Path(spec.params["place"]) / str(spec.number)
        mine.write_text(str(node))
        while len(os.listdir(mine.parent)) < spec.params["together"]:
            time.sleep(0.01)
        while spec.params.get("long") and spec.attempt == 1 and not run.should_stop:
            if Path(spec.params["enough"]).exists():
                break
            time.sleep(0.01)
        return Outcome(value=float(node), metrics=metrics)


_Places.__module__ = "__main__"  # so that it travels by value: workers cannot import this file


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head with one core, and a node with two cores and two GPUs that are not there."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE},
    )
    cluster.add_node(num_cpus=2, num_gpus=2, object_store_memory=STORE)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def begin(cluster: Any) -> Iterator[Callable[..., RayExecutor]]:
    """Starts executors on the cluster."""
    begun = []

    def start(data: np.ndarray | None = None, devices: Iterable[Device] = (Device.CPU,), **options: Any) -> RayExecutor:
        executor = RayExecutor(ComputeOptions(executor="ray", address=cluster.address, **options))
        begun.append(executor)
        work = _Places(np.zeros(3) if data is None else data)
        executor.start(TrialContext(work, devices=frozenset(devices)))
        return executor

    yield start
    for executor in begun:
        executor.close()


@pytest.fixture
def trials(tmp_path: Path) -> Callable[..., list[TrialSpec]]:
    """Makes specs of trials that all run at the same time."""
    place = tmp_path / "place"
    place.mkdir()

    def make(count: int, gpus: Sequence[float] = (), **params: Any) -> list[TrialSpec]:
        params = {"place": str(place), "together": count, "enough": str(tmp_path / "enough"), **params}
        return [
            TrialSpec(number, "place", params, tmp_path / "trials" / str(number), resources=TrialResources(gpus=each))
            for number, each in enumerate(gpus or [0.0] * count)
        ]

    return make


def results_of(events: list[Any]) -> list[TrialResult]:
    results = [event for event in events if isinstance(event, TrialResult)]
    assert [result.status for result in results] == [Status.COMPLETED] * len(results), results
    return results


def until_ready(executor: RayExecutor, workers: int) -> None:
    wait_for(lambda: executor.wait(0.1) == [] and executor.ready == workers)


def test_there_are_workers_without_gpus_on_every_node_and_data_is_not_copied_into_them(
    begin: Callable[..., RayExecutor], trials: Callable[..., list[TrialSpec]]
) -> None:
    data = np.ones(8_000_000)
    executor = begin(data)
    until_ready(executor, 3)
    results = results_of(run_trials(executor, *trials(3)))
    nodes = sorted([result.value for result in results].count(node) for node in {r.value for r in results})
    assert nodes == [1, 2]
    assert {result.metrics["sum"] for result in results} == {data.sum()}
    assert {result.metrics["gpu"] for result in results} == {-1}, "none of them was given the node's GPUs"
    executor.close()
    alone = results_of(run_trials(begin(max_workers=1), *trials(1)))[0]  # the same trial with next to no data
    for result in results:
        assert result.metrics["private"] < alone.metrics["private"] + data.nbytes / 2


def test_gpus_are_shared(begin: Callable[..., RayExecutor], trials: Callable[..., list[TrialSpec]]) -> None:
    executor = begin(devices=[Device.GPU], gpus_per_trial=0.5, cpus_per_trial=0.5)
    assert executor.most == 4
    until_ready(executor, 4)
    results = results_of(run_trials(executor, *trials(4, gpus=[0.5] * 4)))
    assert sorted(result.metrics["gpu"] for result in results) == [0, 0, 1, 1]


def test_auto_goes_straight_to_a_cluster_with_gpus_where_trials_on_cpus_run_beside_those_on_gpus(
    cluster: Any, trials: Callable[..., list[TrialSpec]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    executor = AutoExecutor(ComputeOptions(address=cluster.address))
    executor.prestart()
    executor.start(TrialContext(_Places(np.zeros(3)), devices=frozenset(Device)))
    assert executor.gpus_per_trial == 1  # nothing was said: each gets a GPU, since there are some
    ray = executor._ray
    assert ray is not None
    assert {device: ray.most_on(device) for device in Device} == {Device.CPU: 2, Device.GPU: 1}
    until_ready(ray, 3)
    results = results_of(run_trials(executor, *trials(3, gpus=[1, 0, 0])))
    assert {result.number: result.metrics["gpu"] for result in results} == {0: 0, 1: -1, 2: -1}
    executor.close()


@pytest.mark.slow
def test_trials_wait_for_a_gpu_and_a_line_says_so_once(
    cluster: Any, begin: Callable[..., RayExecutor], trials: Callable[..., list[TrialSpec]], caplog: Any
) -> None:
    executor = begin(devices=list(Device), gpus_per_trial=3)
    waits, goes_on = trials(2, gpus=[3, 0], together=1)
    executor.submit(waits)
    wait_for(lambda: executor.wait(0.1) == [] and "3 GPUs" in caplog.text)
    assert [result.number for result in results_of(run_trials(executor, goes_on))] == [1]
    node = cluster.add_node(num_cpus=1, num_gpus=3, object_store_memory=STORE)
    events: list[Any] = []
    wait_for(lambda: bool(events.extend(executor.wait(0.1)) or events))
    assert [result.number for result in results_of(events)] == [0]
    assert caplog.text.count("trials wait until one joins") == 1
    executor.close()
    cluster.remove_node(node)


def test_nodes_that_join_are_used_and_one_that_is_lost_loses_its_trial_alone(
    cluster: Any, begin: Callable[..., RayExecutor], trials: Callable[..., list[TrialSpec]], tmp_path: Path
) -> None:
    executor = begin()
    until_ready(executor, 3)
    specs = trials(4, long=True)
    for spec in specs[:3]:
        executor.submit(spec)
    node = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    wait_for(lambda: executor.wait(0.1) == [] and executor.slots == 4)
    executor.submit(specs[3])
    assert not until_exists(executor, tmp_path / "place" / "3")
    wait_for(lambda: (tmp_path / "place" / "3").read_text() != "")
    cluster.remove_node(node, allow_graceful=False)
    (lost,) = _next(executor)
    assert (lost.number, lost.status) == (3, Status.INTERRUPTED)
    again = TrialSpec(3, "place", specs[3].params, specs[3].directory, attempt=2)
    (tmp_path / "enough").touch()  # only now the others end
    executor.submit(again)
    results = results_of(_next(executor, 4))
    assert sorted((result.number, result.attempt) for result in results) == [(0, 1), (1, 1), (2, 1), (3, 2)]
    wait_for(lambda: executor.wait(0.1) == [] and executor.most == 3)


def _next(executor: RayExecutor, count: int = 1) -> list[TrialResult]:
    found: list[Any] = []
    wait_for(lambda: bool(found.extend(executor.wait(0.1)) or len(found) >= count))
    return found


def test_the_pool_shrinks_when_idle_and_grows_again(
    begin: Callable[..., RayExecutor], trials: Callable[..., list[TrialSpec]]
) -> None:
    executor = begin(idle_timeout="1s", max_workers=1)
    for spec in trials(2, together=1):
        results_of(run_trials(executor, spec))
        until_ready(executor, 0)


@pytest.mark.slow
def test_the_pool_keeps_its_least_workers(
    begin: Callable[..., RayExecutor], trials: Callable[..., list[TrialSpec]]
) -> None:
    executor = begin(idle_timeout="1s", min_workers=1)
    results_of(run_trials(executor, *trials(3)))
    until_ready(executor, 1)
    ends = time.monotonic() + 3  # three times as long as a spare one lives
    while time.monotonic() < ends:
        executor.wait(0.1)
        assert executor.ready == 1

"""Executors where a Ray is up that all of them share: Ray's own, and the default, which finds it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from automl.engine.execution.auto import AutoExecutor
from automl.engine.execution.base import Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.executor import RayExecutor
from automl.engine.execution.ray.runtime import RayRuntime
from automl.engine.trial.contract import TrialContext
from automl.engine.trial.cores import usable_cores
from automl.errors import ExecutorError
from automl.testing.behaviours import Behaviours
from automl.testing.executors import ExecutorSuite


@pytest.fixture(scope="module", autouse=True)
def ray_is_up() -> Iterator[None]:
    """One Ray for all executors of this module, two at a time: each finds it initialised, and leaves it so."""
    runtime = RayRuntime(ComputeOptions(max_workers=4))
    runtime.require()
    yield
    runtime.close()


class TestRayExecutor(ExecutorSuite):
    may_lose_news = True

    def make_executor(self) -> Executor:
        return RayExecutor(ComputeOptions(executor="ray", max_workers=2))


KILLS = (
    "test_a_deaf_trial_is_killed_when_it_does_not_stop",
    "test_a_dead_worker_interrupts_what_it_ran_and_blames_nothing_else",
    "test_close_leaves_no_process_behind",
    "test_a_trial_without_gpus_sees_none",
    "test_what_is_printed_past_python_is_in_the_log",
)
"""Tests that kill, or need a process of the trial's own, which show that the default executor passes it all on."""


class TestAutoExecutor(ExecutorSuite):
    """It hands trials on to the executors of processes and of Ray, which the whole suite is run with in any case."""

    may_lose_news = True

    def make_executor(self) -> Executor:
        return AutoExecutor(ComputeOptions(max_workers=2))

    @pytest.fixture
    def kills(self, request: pytest.FixtureRequest) -> None:
        if request.function.__name__ not in KILLS:
            pytest.skip("the kills of processes and of Ray are shown there; all of them through auto by 'test-all'")


@pytest.mark.slow
class TestAutoExecutorInFull(ExecutorSuite):
    may_lose_news = True

    def make_executor(self) -> Executor:
        return AutoExecutor(ComputeOptions(max_workers=2))


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
@pytest.mark.skipif(usable_cores() < 2, reason="one core: no library would start a second thread")
@pytest.mark.parametrize("cpus", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_libraries_use_exactly_the_cores_of_their_trial(
    cpus: int, check_threads: Callable[[Executor, int], None]
) -> None:
    check_threads(RayExecutor(ComputeOptions(executor="ray", cpus_per_trial=cpus, max_workers=1)), cpus)


def test_an_initialised_ray_is_not_shut_down() -> None:
    import ray

    executor = RayExecutor(ComputeOptions(executor="ray", max_workers=1))
    executor.start(TrialContext(Behaviours()))
    executor.close()
    assert ray.is_initialized()


def test_rays_ports_are_open_on_the_loopback_interface_only() -> None:
    raylet = next(p for p in psutil.Process().children(recursive=True) if p.name() == "raylet")
    listening = [c.laddr.ip for c in raylet.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert listening
    assert all(ip.endswith("127.0.0.1") for ip in listening)


_UNUSED_PORT = 1


@pytest.mark.parametrize(
    ("address", "says"),
    [(f"127.0.0.1:{_UNUSED_PORT}", "no Ray cluster at 127.0.0.1:1"), ("nonsense", "'host:port'")],
)
def test_an_unreachable_address_is_an_error_and_not_a_hang(address: str, says: str) -> None:
    executor = RayExecutor(ComputeOptions(executor="ray", address=address))
    began = time.monotonic()
    with pytest.raises(ExecutorError, match=says):
        executor.start(TrialContext(Behaviours()))
    assert time.monotonic() - began < 10  # twice the patience with a port that does not answer
    executor.close()

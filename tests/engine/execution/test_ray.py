"""The Ray executor."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest

from automl.engine.execution.base import Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.executor import RayExecutor
from automl.engine.execution.ray.runtime import RayRuntime
from automl.engine.trial.contract import TrialContext
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

"""A cluster by ``ray://``: through Ray's client, which needs grpc."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from automl.engine.execution.ray.runtime import check_address
from automl.errors import ExecutorError
from automl.testing.driving import wait_for

_SCRIPT = """
import sys
from pathlib import Path
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.executor import RayExecutor
from automl.testing.behaviours import Behaviours
from automl.testing.driving import run_trials
from automl.engine.trial.contract import StopReason, TrialContext, TrialResult, TrialSpec

trials = Path(sys.argv[2])
executor = RayExecutor(ComputeOptions(executor="ray", address=sys.argv[1], max_workers=1))
executor.start(TrialContext(Behaviours()))

def run(number, behaviour, **options):
    spec = TrialSpec(number, behaviour, {"scale": 1.0}, trials / str(number))
    *reports, result = run_trials(executor, spec, **options)
    print(result.status.value, len(reports))

run(0, "compute")
run(1, "kill_self")
run(2, "deaf", on_report=lambda report: executor.stop(2, StopReason.CANCELLED, grace=0.1))
run(3, "compute")
executor.close()
"""


def test_an_address_of_rays_client_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)  # as if it were not installed
    with pytest.raises(ExecutorError, match=r"ray://head:10001 needs Ray's client: pip install 'ray\[client\]'"):
        check_address("ray://head:10001")


@pytest.fixture
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where Ray's client server listens. Its head is a process group of its own."""
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={ports[0]}"]
    command += [f"--ray-client-server-port={ports[1]}", "--num-cpus=1", "--include-dashboard=false"]
    command += ["--object-store-memory=100000000", f"--temp-dir={tmp_path_factory.mktemp('r')}"]
    log = (tmp_path_factory.mktemp("log") / "head.txt").open("wb")
    with log, subprocess.Popen(command, stdout=log, stderr=log, env=_ENVIRONMENT, start_new_session=True) as head:
        wait_for(lambda: b"--block" in Path(log.name).read_bytes() and _listens(ports[1]))
        yield ports[1]
        os.killpg(head.pid, signal.SIGKILL)


_ENVIRONMENT = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
@pytest.mark.skipif(find_spec("grpc") is None, reason="grpc is not installed")
def test_trials_run_through_rays_client(port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SCRIPT, f"ray://127.0.0.1:{port}", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=_ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["COMPLETED 3", "INTERRUPTED 0", "CANCELLED 1", "COMPLETED 3"]

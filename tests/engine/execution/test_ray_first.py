"""What was asked for as Ray, where Ray does not come up at once: a real one whose head finds its port taken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray_first import RayFirst
from automl.engine.trial.contract import TrialContext
from automl.errors import ExecutorError
from automl.testing.behaviours import Behaviours

_SCRIPT = """
import logging, os, socket, sys
from pathlib import Path
from automl.engine.execution.ray_first import RayFirst
from automl.engine.execution.options import ComputeOptions
from automl.testing.driving import run_trials, wait_for
from automl.engine.trial.contract import *

class Parent:
    metric = "m"
    def __call__(self, spec, run):
        import os
        return Outcome(value=float(os.getppid()))

logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
port = socket.create_server(("127.0.0.1", 0))
os.environ["RAY_GCS_SERVER_PORT"] = str(port.getsockname()[1])
executor = RayFirst(ComputeOptions(executor="ray", max_workers=1))
executor.prestart(("json",))
executor.start(TrialContext(Parent()))
place, numbers, parents = Path(sys.argv[1]), iter(range(10**6)), []

def run():
    *_, result = run_trials(executor, TrialSpec(number := next(numbers), "a", {}, place / str(number)))
    assert result.status is Status.COMPLETED
    parents.append(int(result.value))

run()
if sys.argv[2] == "freed":
    port.close()
    wait_for(lambda: run() or parents[-1] != os.getpid(), 120)
else:
    wait_for(lambda: run() or executor._ray_is_out, 120)
    run()
executor.close()
print("here" if parents[0] == os.getpid() else "elsewhere", "here" if parents[-1] == os.getpid() else "elsewhere")
"""


def _run(place: Path, port: str) -> list[str]:
    script = place / "script.py"
    script.write_text(_SCRIPT)
    impatient = {"RAY_gcs_rpc_server_connect_timeout_s": "1", "RAY_py_gcs_connect_timeout_s": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"} | impatient
    command = [sys.executable, str(script), str(place / "trials"), port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_trials_begin_in_processes_and_move_when_ray_has_come_up_at_a_later_try(tmp_path: Path) -> None:
    assert _run(tmp_path, "freed") == [
        "Ray is not up yet. Trials run in processes of this machine until it is.",
        "here elsewhere",
    ]


def test_a_search_goes_on_in_processes_if_ray_never_comes_up(tmp_path: Path) -> None:
    waits, stays, where = _run(tmp_path, "taken")
    assert waits.startswith("Ray is not up yet.")
    assert stays.startswith("Trials stay in processes of this machine. Ray on this machine cannot be used: ")
    assert where == "here here"


_LATE_FAILURE = """
import psutil
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.runtime import RayRuntime

def raylets():
    return {child.pid for child in psutil.Process().children() if child.name() == "raylet"}

tries = []

def fail_once():
    tries.append(raylets())
    if len(tries) == 1:
        raise OSError("the first workers could not be started")

runtime = RayRuntime(ComputeOptions(max_workers=1), after=fail_once)
runtime.require(150)
import ray
assert ray.get(ray.remote(lambda: 7).remote()) == 7
assert [len(found) for found in tries] == [1, 1] and tries[0] != tries[1] == raylets(), tries
runtime.close()
assert not raylets()
"""


def test_what_a_failed_try_had_brought_up_is_gone_before_the_next() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    command = [sys.executable, "-c", _LATE_FAILURE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def test_a_cluster_that_was_asked_for_must_be_there() -> None:
    executor = RayFirst(ComputeOptions(executor="ray", address="127.0.0.1:1"))
    with pytest.raises(ExecutorError, match="no Ray cluster"):
        executor.start(TrialContext(Behaviours()))
    executor.close()

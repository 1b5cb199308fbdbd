"""A Ray whose head is killed: one sentence, and never a hang. In a process of its own, with a Ray of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import sys
from pathlib import Path
import psutil
from automl.errors import ExecutorError
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.executor import RayExecutor
from automl.testing.behaviours import Behaviours
from automl.testing.driving import is_gone, run_trials, until_exists, wait_for
from automl.engine.trial.contract import TrialContext, TrialSpec

trials = Path(sys.argv[1])
executor = RayExecutor(ComputeOptions(executor="ray", max_workers=1))
executor.start(TrialContext(Behaviours()))
run_trials(executor, TrialSpec(0, "compute", {"scale": 1.0}, trials / "00000"))
executor.submit(TrialSpec(1, "obey", {}, trials / "00001"))
until_exists(executor, trials / "00001" / "metrics.jsonl")
rays = psutil.Process().children(recursive=True)
(head,) = [process for process in rays if process.name() == sys.argv[2]]
names = {process.pid: process.name() for process in rays}
head.kill()
try:
    wait_for(lambda: bool([event for event in executor.wait(0.5) if False]))
except ExecutorError as error:
    print(error)
executor.close()
agents = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")  # they notice by themselves, a minute later
wait_for(lambda: all(is_gone(process.pid) for process in rays if names[process.pid] not in agents))
print("all gone")
"""


@pytest.mark.parametrize(
    ("victim", "says"),
    [
        ("gcs_server", "nothing answers at "),
        pytest.param("raylet", "own part of it has died", marks=pytest.mark.slow),  # seen after 14 s
    ],
)
def test_a_ray_that_is_killed_ends_the_search_with_a_sentence(tmp_path: Path, victim: str, says: str) -> None:
    trials = tmp_path / "experiment" / "trials"
    trials.mkdir(parents=True)
    command = [sys.executable, "-c", _SCRIPT, str(trials), victim]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    sentence, ending = done.stdout.splitlines()
    assert sentence.startswith("Ray on this machine is lost: ")
    assert says in sentence
    assert f"'automl resume {tmp_path / 'experiment'}' continues" in sentence
    assert ending == "all gone"

"""The auto executor where no Ray is up yet; where one is, see the tests of Ray."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from automl.deadline import Deadline
from automl.engine.execution.auto import AutoExecutor
from automl.engine.execution.options import ComputeOptions
from automl.engine.trial.contract import Status, TrialContext, TrialResources, TrialResult, TrialSpec
from automl.errors import ExecutorError
from automl.testing.behaviours import Behaviours
from automl.testing.driving import run_trials


def test_ray_is_not_started_when_less_than_ten_minutes_are_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    executor = AutoExecutor(ComputeOptions(max_workers=1), Deadline.after(600.0))
    with caplog.at_level(logging.INFO, "automl"):
        executor.start(TrialContext(Behaviours()))
        run_trials(executor, *(TrialSpec(n, "compute", {"scale": 1.0}, tmp_path / str(n)) for n in range(3)))
        executor.close()
    assert [record.getMessage() for record in caplog.records if "too short to start Ray" in record.getMessage()]
    assert executor._ray is None


def test_a_trial_that_has_the_machine_to_itself_is_no_reason_to_start_ray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    executor = AutoExecutor(ComputeOptions(max_workers=1))
    executor.start(TrialContext(Behaviours()))
    for number in range(3):
        alone = TrialResources(alone=True)
        spec = TrialSpec(number, "compute", {"scale": 1.0}, tmp_path / str(number), resources=alone)
        result = run_trials(executor, spec)[-1]
        assert isinstance(result, TrialResult) and result.status is Status.COMPLETED
    executor.close()
    assert executor._ray is None


def test_a_cluster_that_was_asked_for_must_be_there() -> None:
    executor = AutoExecutor(ComputeOptions(address="127.0.0.1:1"))
    with pytest.raises(ExecutorError, match="no Ray cluster"):
        executor.start(TrialContext(Behaviours()))
    executor.close()


_SCRIPT = """
import sys, time
from pathlib import Path
from automl.engine.execution.auto import AutoExecutor
from automl.engine.execution.options import ComputeOptions
from automl.engine.trial.contract import *

class Pid:
    metric = "m"
    def __call__(self, spec, run):
        import os
        return Outcome(value=float(os.getppid()))

print("the script runs")
executor = AutoExecutor(ComputeOptions(max_workers=2))
executor.prestart(("json",))
executor.start(TrialContext(Pid()))
parents, number, busy, most = [], 0, 0, 0
ends = time.monotonic() + 90
while len(set(parents)) < 2 or parents[-20:].count(parents[-1]) < 20:
    assert time.monotonic() < ends, set(parents)
    while busy < executor.slots:
        executor.submit(TrialSpec(number, "a", {}, Path(sys.argv[1]) / str(number)))
        number, busy = number + 1, busy + 1
    most = max(most, busy)
    results = [e for e in executor.wait(1.0) if isinstance(e, TrialResult)]
    busy -= len(results)
    parents += [r.value for r in results]
    time.sleep(0.005)
executor.close()
import os
print("handed over" if parents[0] == os.getpid() != parents[-1] else parents, most)
"""


def test_trials_begin_in_processes_and_go_to_ray_from_a_script_without_main_guard(tmp_path: Path) -> None:
    """In a process of its own, with a Ray of its own."""
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    command = [sys.executable, str(script), str(tmp_path / "trials")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["the script runs", "handed over 2"]

"""The process executor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from automl.client import Run
from automl.engine.execution.base import Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.engine.trial.contract import Outcome, Report, Status, StopReason, TrialContext, TrialResult, TrialSpec
from automl.errors import ExecutorError
from automl.testing.behaviours import Behaviours
from automl.testing.driving import is_gone, run_trials, wait_for
from automl.testing.executors import ExecutorSuite


class TestProcessExecutor(ExecutorSuite):
    def make_executor(self) -> ProcessExecutor:
        return ProcessExecutor(ComputeOptions(executor="process", max_workers=2))

    def test_what_waits_for_a_worker_can_be_cancelled(self, trial: Callable[..., TrialSpec]) -> None:
        executor = self.make_executor()
        spec = trial("deaf")
        executor.submit(spec)  # before start: no worker can have taken it
        executor.stop(spec.number, StopReason.CANCELLED)
        assert executor.in_flight == 1  # until its result is handed on
        (result,) = executor.wait(0.0)
        assert executor.in_flight == 0
        assert isinstance(result, TrialResult)
        assert (result.number, result.status, result.worker) == (spec.number, Status.CANCELLED, "")
        executor.close()

    def test_a_worker_killed_at_the_end_of_a_search_is_not_replaced(
        self, executor: Executor, trial: Callable[..., TrialSpec]
    ) -> None:
        def cancel(report: Report) -> None:
            executor.stop(report.number, StopReason.CANCELLED, grace=0.0)

        run_trials(executor, trial("nothing"))
        assert isinstance(executor, ProcessExecutor)
        before = len(executor._state.workers)
        *_, result = run_trials(executor, trial("deaf"), on_report=cancel)
        assert isinstance(result, TrialResult) and result.status is Status.CANCELLED
        executor.wait(0.2)
        assert len(executor._state.workers) == before - 1
        *_, result = run_trials(executor, trial("nothing"))  # until somebody needs one
        assert isinstance(result, TrialResult) and result.status is Status.COMPLETED

    def test_a_crash_leaves_the_stack_in_the_log(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        spec = trial("segfault")
        self.result(executor, spec)
        log = (spec.directory / "logs" / "stdout.txt").read_text()
        assert "Segmentation fault" in log
        assert "in segfault" in log  # the function


_SCRIPT = """
import sys
from pathlib import Path
import psutil
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.testing.behaviours import Behaviours
from automl.testing.driving import run_trials, wait_for
from automl.engine.trial.contract import TrialContext, TrialSpec

print("the script runs", flush=True)
place = Path(sys.argv[1])
executor = ProcessExecutor(ComputeOptions(max_workers=1))
executor.prestart(("json",))
executor.start(TrialContext(Behaviours()))
worker = run_trials(executor, TrialSpec(0, "compute", {"scale": 1.0}, place / "0"))[-1].worker
pid = worker.rpartition(":")[2]
wait_for(lambda: executor.wait(0.05) == [] and any(  # the worker's watchdog is there
    "automl.engine.execution.watchdog" in process.info["cmdline"] and pid in process.info["cmdline"]
    for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"]
))
executor.submit(TrialSpec(1, "orphan_then_deaf", {}, place / "1"))
wait_for(lambda: executor.wait(0.05) == [] and (place / "1" / "outputs" / "pid").exists())
print(pid, flush=True)
executor.wait(600.0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_driver_leaves_nothing_behind(tmp_path: Path) -> None:
    """Not even a worker that computes in C, nor what that has started. The script has no main guard."""
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    with subprocess.Popen([sys.executable, str(script), str(tmp_path)], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "the script runs\n"
        worker = int(driver.stdout.readline())
        orphan = int((tmp_path / "1" / "outputs" / "pid").read_text())
        assert os.getsid(worker) != os.getsid(0)  # so the terminal's Ctrl-C does not reach it
        assert not is_gone(orphan)
        driver.send_signal(signal.SIGKILL)
    wait_for(lambda: is_gone(worker) and is_gone(orphan), 20)


_FIRST = """
import sys
from pathlib import Path
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.testing.behaviours import Behaviours
from automl.testing.driving import until_exists
from automl.engine.trial.contract import TrialContext, TrialSpec

place = Path(sys.argv[1])
executor = ProcessExecutor(ComputeOptions(max_workers=1))
executor.start(TrialContext(Behaviours()))
executor.submit(TrialSpec(0, "orphan_then_deaf", {}, place / "0"))
until_exists(executor, place / "0" / "outputs" / "pid")
print(*executor.local_workers, flush=True)
executor.wait(600.0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_driver_leaves_nothing_behind_not_even_of_a_workers_first_trial(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _FIRST, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        worker = int(driver.stdout.readline())
        orphan = int((tmp_path / "0" / "outputs" / "pid").read_text())
        assert not is_gone(worker)
        assert not is_gone(orphan)
        driver.send_signal(signal.SIGKILL)
    wait_for(lambda: is_gone(worker) and is_gone(orphan))


def test_the_pool_shrinks_when_idle_and_grows_again(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(max_workers=2, idle_timeout=0.5))
    executor.start(TrialContext(Behaviours()))
    assert together(executor, tmp_path / "first", 0)
    gone = executor.local_workers
    wait_for(lambda: executor.wait(0.05) == [] and not executor.local_workers)
    assert gone
    assert all(is_gone(pid) for pid in gone)
    assert together(executor, tmp_path / "second", 2)
    executor.close()


def test_the_pool_keeps_its_least_workers(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(max_workers=2, min_workers=1, idle_timeout=0.5))
    executor.start(TrialContext(Behaviours()))
    assert together(executor, tmp_path / "first", 0)
    wait_for(lambda: executor.wait(0.05) == [] and len(executor.local_workers or ()) == 1)
    kept = executor.local_workers
    assert executor.wait(1.5) == []  # three times as long as a spare one lives
    assert executor.local_workers == kept
    executor.close()


def together(executor: ProcessExecutor, folder: Path, first: int) -> bool:
    """Run two trials at the same time."""
    place = folder / "place"
    place.mkdir(parents=True)
    specs = [TrialSpec(n, "meet", {"place": str(place)}, folder / str(n)) for n in (first, first + 1)]
    events = run_trials(executor, *specs)
    return [event.status for event in events if isinstance(event, TrialResult)] == [Status.COMPLETED] * 2


@dataclass(frozen=True)
class _Arrays:
    """Sums its data, and says where it lies and whether it can be written to."""

    data: np.ndarray
    metric: str = "sum"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        return Outcome(value=float(self.data.sum()), metrics={"writeable": float(self.data.flags.writeable)})


def _in_main(cls: type) -> type:
    """Make `cls` travel by value, as a class of the user's script does: workers cannot import this file."""
    cls.__module__ = "__main__"
    return cls


@pytest.mark.parametrize("rows", [10, 10**6])  # sent along, and shared through a file
def test_arrays_arrive_read_only(tmp_path: Path, rows: int) -> None:
    data = np.random.default_rng(0).normal(size=rows)
    executor = ProcessExecutor(ComputeOptions(max_workers=1))
    executor.start(TrialContext(_in_main(_Arrays)(data)))
    (result,) = run_trials(executor, TrialSpec(0, "sum", {}, tmp_path / "0"))
    executor.close()
    assert isinstance(result, TrialResult)
    assert (result.value, result.metrics) == (float(data.sum()), {"writeable": 0.0})


def test_work_that_cannot_be_pickled_is_refused_at_the_start() -> None:
    executor = ProcessExecutor(ComputeOptions(max_workers=1))
    work = Behaviours(metric=sys.stdout)  # type: ignore[arg-type]
    with pytest.raises(ExecutorError, match="cannot be sent to a worker"):
        executor.start(TrialContext(work))
    executor.close()


def test_work_that_a_worker_cannot_load_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that only this process has."""
    module = type(sys)("only_here")
    exec("class Work:\n    metric = 'm'\n", vars(module))
    monkeypatch.setitem(sys.modules, "only_here", module)
    executor = ProcessExecutor(ComputeOptions(max_workers=1))
    executor.start(TrialContext(module.Work()))
    with pytest.raises(ExecutorError, match="only_here"):
        run_trials(executor, TrialSpec(0, "any", {}, tmp_path / "0"))
    executor.close()


def test_workers_that_die_at_their_start_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))  # no Python starts with this
    executor = ProcessExecutor(ComputeOptions(max_workers=1))
    executor.start(TrialContext(Behaviours()))
    with pytest.raises(ExecutorError, match="died at their start"):
        run_trials(executor, TrialSpec(0, "compute", {"scale": 1.0}, tmp_path / "0"))
    executor.close()


def test_a_worker_that_has_grown_is_replaced(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(max_workers=1))
    executor.start(TrialContext(_in_main(_Hoarder)()))
    first, _, third = run_trials(executor, *(TrialSpec(n, "hoard", {}, tmp_path / str(n)) for n in range(3)))
    executor.close()
    assert isinstance(first, TrialResult)
    assert isinstance(third, TrialResult)
    assert third.value == 0.0  # nothing is hoarded in its worker yet
    assert third.worker != first.worker
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["0", "1", "2"]  # no spool is left


class _Hoarder:
    """Its second trial in a worker leaves 800 MB behind."""

    metric = "held"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        import builtins

        hoard = vars(builtins).setdefault("hoard", [])
        if spec.number == 1:
            hoard.append(bytearray(b"x") * (800 * 2**20))
        return Outcome(value=float(len(hoard)))

"""The benchmark of a busy machine: its loops end with it, and its figures say what was kept."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("load")


def run_of(load: ModuleType, wall: float, **changes: Any) -> Any:
    kept = {"model": True, "part": False, "at_once": True, "registered": True}
    return load.Run("iris", 30, 0, wall, **{**kept, **changes})


def test_a_promise_is_kept_by_all_runs_or_missed(load: ModuleType) -> None:
    runs = [run_of(load, 29.0), run_of(load, 30.5, at_once=False, part=True), run_of(load, 31.0, registered=False)]
    found = {figure.name: (figure.value, figure.met) for figure in load.figures(runs)}
    assert found["models"] == (3, True)
    assert found["registered"] == (2, False)
    assert found["over_tolerance"] == (1, False)
    assert found["worst_overrun_s"] == (1.0, None)


def test_a_run_without_a_model_is_counted(load: ModuleType) -> None:
    nothing = run_of(load, 29.0, model=False, at_once=False, registered=False)
    found = {figure.name: (figure.value, figure.met) for figure in load.figures([nothing])}
    assert (found["models"], found["registered"]) == ((0, False), (0, False))


@pytest.mark.skipif(os.name != "posix", reason="a child of a dead process gets another parent")
def test_no_loop_outlives_a_benchmark_that_is_killed() -> None:
    script = "import time; from busy import busy\nwith busy(2): print('busy', flush=True); time.sleep(600)"
    given = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    with subprocess.Popen([sys.executable, "-c", script], env=given, stdout=subprocess.PIPE) as benchmark:
        assert benchmark.stdout is not None
        assert benchmark.stdout.readline() == b"busy\n"
        loops = psutil.Process(benchmark.pid).children()
        assert len(loops) == 2
        benchmark.send_signal(signal.SIGKILL)
    while any(loop.is_running() and loop.status() != psutil.STATUS_ZOMBIE for loop in loops):
        time.sleep(0.05)

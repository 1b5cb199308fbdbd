"""Libraries use exactly the cores of their trial: the threads that they start are counted."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from automl.engine.execution.base import Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.engine.trial.cores import usable_cores

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc"),
    pytest.mark.skipif(usable_cores() < 2, reason="one core: no library would start a second thread"),
]


@pytest.mark.parametrize("cpus", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_in_processes(cpus: int, check_threads: Callable[[Executor, int], None]) -> None:
    """In Ray's workers: beside the tests of Ray, with the one that they share."""
    check_threads(ProcessExecutor(ComputeOptions(cpus_per_trial=cpus, max_workers=1)), cpus)

"""Which trials have room: predictions of their memory, and what is made of them."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from automl.engine.admission import memory as module
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.execution.inline import InlineExecutor
from automl.engine.execution.memory import Memory, memory_here
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.engine.space.space import AlgorithmSpace
from automl.engine.study.state import WOULD_NOT_FIT
from automl.engine.trial.contract import Status, TrialContext, TrialResult, TrialSpec
from automl.testing.behaviours import Behaviours

MB = 2**20
SPACES = {
    name: AlgorithmSpace.model_validate(
        {"params": {"megabytes": {"type": "int", "low": 100, "high": 10_000, "log": True}}}
    )
    for name in ("forest", "boosting")
}


def spec(megabytes: int, algorithm: str = "forest") -> TrialSpec:
    return TrialSpec(0, algorithm, {"megabytes": megabytes}, Path())


def taught(limit: int | None = None) -> MemoryAdmission:
    """Knows that a forest holds as much as its parameter says, and a little more."""
    admission = MemoryAdmission(SPACES, limit)
    for megabytes in (100, 150, 250, 400, 600, 900, 1400, 2000):
        held = int(1.05 * megabytes * MB)
        result = TrialResult(number=0, algorithm="forest", status=Status.COMPLETED, peak_memory=held)
        admission.observe(result, {"megabytes": megabytes})
    return admission


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """4 GB in all, of which trials may hold 3."""
    monkeypatch.setattr(module, "memory_here", lambda workers: Memory(4096 * MB, 3072 * MB))


def test_nothing_is_refused_before_anything_is_known(machine: None) -> None:
    admission = MemoryAdmission(SPACES, 1)
    assert admission.refusal(spec(10_000), [1]) is None
    assert admission.fits(spec(10_000), [spec(10_000)], [1])


def test_a_trial_that_its_limit_would_kill_is_refused() -> None:
    admission = taught(limit=1000 * MB)
    assert admission.refusal(spec(800), None) is None
    failure = admission.refusal(spec(8000), None)
    assert failure is not None
    assert failure.kind == WOULD_NOT_FIT
    assert "limits.trial_memory is 1000 MB" in failure.message


def test_a_trial_that_is_larger_than_the_machine_is_refused(machine: None) -> None:
    failure = taught().refusal(spec(9000), [1])
    assert failure is not None
    assert "this machine's memory is 4096 MB" in failure.message
    assert taught().refusal(spec(9000), None) is None, "the workers of a cluster may have more"


def test_what_may_just_fit_is_not_refused(machine: None) -> None:
    assert taught(limit=1000 * MB).refusal(spec(1000), [1]) is None


def test_a_trial_has_room_if_it_fits_beside_what_runs(machine: None) -> None:
    admission = taught()
    assert admission.fits(spec(500), [spec(1500)], [1])
    assert not admission.fits(spec(1500), [spec(1500)], [1])


def test_a_trial_alone_always_has_room(machine: None) -> None:
    assert taught().fits(spec(9000), [], [1])


def test_an_algorithm_that_was_never_tried_is_taken_for_one_like_the_others(machine: None) -> None:
    admission = taught()
    assert admission.fits(spec(100, "boosting"), [spec(100)], [1])
    assert not admission.fits(spec(100, "boosting"), [spec(1000)], [1])


def test_a_trial_that_was_killed_for_its_memory_would_have_held_more(machine: None) -> None:
    admission = taught()
    assert admission.fits(spec(400), [spec(400)], [1])
    for _ in range(5):
        killed = TrialResult(number=0, algorithm="forest", status=Status.OUT_OF_MEMORY, peak_memory=2500 * MB)
        admission.observe(killed, {"megabytes": 400})
    assert not admission.fits(spec(400), [spec(400)], [1])


def test_refused_and_failed_trials_teach_nothing(machine: None) -> None:
    admission = taught()
    for status, peak in ((Status.OUT_OF_MEMORY, None), (Status.FAILED, 1)):
        result = TrialResult(number=0, algorithm="forest", status=status, peak_memory=peak)
        admission.observe(result, {"megabytes": 400})
    assert admission.fits(spec(500), [spec(1500)], [1])


def test_the_machines_memory_counts_what_the_workers_hold() -> None:
    nobody, alone = memory_here([]), memory_here([os.getpid()])
    assert nobody.total == alone.total <= psutil.virtual_memory().total
    assert 0 < nobody.for_trials <= nobody.total
    info: Any = psutil.Process().memory_info()
    assert alone.for_trials > nobody.for_trials - 2**30 + (info.rss - info.shared) // 2


def test_a_pool_on_this_machine_names_its_workers(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(max_workers=1))
    with closing(executor):
        executor.start(TrialContext(Behaviours()))
        executor.submit(TrialSpec(0, "nothing", {}, tmp_path / "0"))
        while not (events := executor.wait(1.0)):
            pass
        (ended,) = events
        assert isinstance(ended, TrialResult)
        assert executor.local_workers == [int(ended.worker.rpartition(":")[2])]


def test_an_executor_that_says_nothing_is_not_asked_for_memory() -> None:
    assert InlineExecutor().local_workers is None

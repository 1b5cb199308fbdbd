"""Trials on GPUs beside trials on CPUs: who gets which worker, and how many share a GPU."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from automl.deadline import Deadline
from automl.engine.admission.gpu_memory import GpuMemoryAdmission
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.admission.time import Admission
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.sampled import SamplerProposer
from automl.engine.pruners.registry import make_pruner
from automl.engine.samplers.registry import make_sampler
from automl.engine.search.driver import Driver
from automl.engine.search.options import LimitsOptions
from automl.engine.search.submission import Terms
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.engine.stopping.registry import criteria_of
from automl.engine.study.history import History
from automl.engine.study.state import WOULD_NOT_FIT, SearchState
from automl.engine.trial.contract import Device, Status, TrialContext, TrialResources, TrialResult, TrialSpec
from automl.engine.trial.objective import Objective
from automl.engine.trial.records import read_result
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.testing.behaviours import METRIC, Behaviours
from automl.testing.driving import wait_for

MB = 2**20
SIZE = {"params": {"size": {"type": "int", "low": 100, "high": 10_000, "log": True}}}
NETS = {name: AlgorithmSpace.model_validate({**SIZE, "gpu": True}) for name in ("net", "other")}


def spec(size: int, gpus: float = 0.25, algorithm: str = "net") -> TrialSpec:
    return TrialSpec(0, algorithm, {"size": size}, Path(), resources=TrialResources(gpus=gpus))


def taught() -> GpuMemoryAdmission:
    """Knows that a net holds as many megabytes as its parameter says."""
    admission = GpuMemoryAdmission(NETS)
    for size in (100, 150, 250, 400, 600, 900, 1400, 2000):
        result = TrialResult(number=0, algorithm="net", status=Status.COMPLETED, gpu_memory=size * MB)
        admission.observe(result, {"size": size})
    return admission


def test_as_many_share_a_gpu_as_its_memory_takes() -> None:
    admission = taught()
    assert admission.fits(spec(1000), [spec(1000)] * 2, 8000 * MB)
    assert not admission.fits(spec(1000), [spec(1000)] * 3, 5000 * MB)
    assert admission.fits(spec(1000), [spec(1000)] * 3, 9000 * MB)


def test_it_shares_with_no_more_than_fit_by_their_shares() -> None:
    admission = taught()
    assert admission.fits(spec(1000, 0.5), [spec(1000, 0.5)] * 9, 4000 * MB)
    assert not admission.fits(spec(1000, 0.25), [spec(1000, 0.25)] * 9, 4000 * MB)


def test_a_trial_that_shares_with_nobody_has_room() -> None:
    admission = taught()
    assert admission.fits(spec(9000), [], 1000 * MB)
    assert admission.fits(spec(9000, 1.0), [spec(9000, 1.0)] * 3, 1000 * MB)
    assert admission.fits(spec(9000, 0.0), [spec(9000)] * 3, 1000 * MB), "one on a CPU"
    assert admission.fits(spec(9000), [spec(9000, 0.0)] * 3, 1000 * MB), "beside some on CPUs"


def test_nothing_is_known_of_a_gpu_that_does_not_say() -> None:
    assert taught().fits(spec(9000), [spec(9000)] * 3, None)


def test_a_net_that_was_never_tried_is_taken_for_one_like_the_others() -> None:
    admission = taught()
    assert not admission.fits(spec(100, algorithm="other"), [spec(1000)], 2000 * MB)
    assert GpuMemoryAdmission(NETS).fits(spec(9000), [spec(9000)] * 3, 2500 * MB)


def test_what_no_gpu_can_hold_is_refused() -> None:
    admission = MemoryAdmission(NETS)
    for size in (100, 150, 250, 400, 600, 900, 1400, 2000):
        result = TrialResult(number=0, algorithm="net", status=Status.COMPLETED, gpu_memory=size * MB)
        admission.observe(result, {"size": size})
    assert admission.refusal(spec(1000), None, 4000 * MB) is None
    assert admission.refusal(spec(9000), None, None) is None
    assert admission.refusal(spec(9000, gpus=0), None, 4000 * MB) is None
    assert admission.refusal(spec(9000, gpus=4), None, 4000 * MB) is None, "a quarter on each"
    failure = admission.refusal(spec(9000), None, 4000 * MB)
    assert failure is not None
    assert failure.kind == WOULD_NOT_FIT
    assert "what a GPU has free is 4000 MB" in failure.message


class Counting(ProcessExecutor):
    """Knows how many workers had trials at most."""

    most_at_once = 0

    def _dispatch(self) -> None:
        super()._dispatch()
        self.most_at_once = max(self.most_at_once, sum(worker.flight is not None for worker in self._state.workers))


class Search:
    """A search over behaviours on both kinds of workers, in a directory of its own; run it as often as you like."""

    def __init__(self, place: Path, **algorithms: dict[str, Any]) -> None:
        self.directory = Workspace(place).create_experiment("test")
        self.space = SearchSpace.model_validate({"algorithms": algorithms})

    @contextmanager
    def driver(self, *, max_trials: int, **compute: Any) -> Iterator[tuple[Driver, Counting]]:
        spaces, deadline = self.space.algorithms, Deadline.after(None)
        history = History(
            self.directory.journal, objective=Objective("score"), pruner=make_pruner(ComponentOptions(name="none"))
        )
        executor = Counting(ComputeOptions(executor="process", **compute), deadline)
        devices = frozenset(Device.GPU if space.gpu else Device.CPU for space in spaces.values())
        sampler = make_sampler(ComponentOptions(name="random"))
        try:
            executor.start(TrialContext(Behaviours(), devices=devices))
            terms = Terms(
                self.directory,
                Objective(METRIC),
                resources=TrialResources(gpus=executor.gpus_per_trial),
                on_gpus=frozenset(name for name, space in spaces.items() if space.gpu),
            )
            yield (
                Driver(
                    terms,
                    proposer=SamplerProposer(self.space, sampler, objective=Objective("score"), seed=0, measured=False),
                    history=history,
                    executor=executor,
                    criteria=criteria_of(LimitsOptions(max_trials=max_trials)),
                    admission=Admission(spaces),
                    memory=MemoryAdmission(spaces),
                    deadline=deadline,
                ),
                executor,
            )
        finally:
            executor.close()
            history.close()


def results(directory: ExperimentDirectory) -> list[TrialResult]:
    found = [read_result(directory.trial(number)) for number in directory.trial_numbers()]
    return [result for result in found if result is not None]


def last_of(states: Iterator[SearchState]) -> SearchState:
    *_, last = states
    return last


def test_trials_on_cpus_run_beside_those_on_gpus_and_see_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    search = Search(tmp_path, count_gpus={**SIZE, "gpu": True}, nothing=SIZE)
    with search.driver(max_trials=40, gpus_per_trial=1, max_workers=3) as (driver, executor):
        assert last_of(driver.run()).counts == {Status.COMPLETED: 40}
        assert executor.most_at_once <= 3
    ended = results(search.directory)
    assert {result.value for result in ended if result.algorithm == "count_gpus"} == {1.0}
    assert {result.algorithm for result in ended} == {"count_gpus", "nothing"}


def test_without_a_gpu_the_same_search_runs_on_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    search = Search(tmp_path, count_gpus={**SIZE, "gpu": True})
    with search.driver(max_trials=4, max_workers=2) as (driver, _):
        assert last_of(driver.run()).counts == {Status.COMPLETED: 4}
    assert {result.value for result in results(search.directory)} == {0.0}


def test_trials_wait_for_room_on_a_gpu_that_they_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_gpus_by_nvml: Path
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(two_gpus_by_nvml))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")  # with 5 GB
    search = Search(tmp_path, count_gpus={**SIZE, "gpu": True})
    compute = {"gpus_per_trial": 0.5, "max_workers": 2}
    with search.driver(max_trials=20, **compute) as (driver, executor):
        last_of(driver.run())
        assert executor.most_at_once <= 2
    for number in search.directory.trial_numbers():  # as if torch had said so
        place = search.directory.trial(number).result
        place.write_text(json.dumps({**json.loads(place.read_text()), "gpu_memory": 3_000_000_000}))
    assert {result.gpu_utilization for result in results(search.directory)} == {0.75}
    with search.driver(max_trials=40, **compute) as (driver, executor):
        wait_for(lambda: executor.wait(0.1) == [] and executor.gpu_memory == 5_000_000_000)
        assert last_of(driver.run()).counts == {Status.COMPLETED: 40}
        assert executor.most_at_once == 1, "two of them would not fit"

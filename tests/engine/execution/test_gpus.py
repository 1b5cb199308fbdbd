"""GPUs for worker processes. Where there are none, CUDA_VISIBLE_DEVICES names some that are not there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from automl.client import Run
from automl.engine.execution.auto import AutoExecutor
from automl.engine.execution.gpus import GpuShares
from automl.engine.execution.inline import InlineExecutor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.engine.trial.contract import (
    Device,
    Outcome,
    StopReason,
    TrialContext,
    TrialResources,
    TrialResult,
    TrialSpec,
)
from automl.engine.trial.gpu import visible_gpus
from automl.errors import ExecutorError
from automl.testing.driving import run_trials, wait_for


@dataclass(frozen=True)
class _Seen:
    """A work whose trials write down the GPUs that they see, and wait for each other."""

    metric: str = "together"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        import time

        seen = os.environ["CUDA_VISIBLE_DEVICES"]
        (run.outputs / "seen.txt").write_text(seen)
        place = Path(spec.params["place"])
        (place / str(spec.number)).touch()
        while len(os.listdir(place)) < spec.params["together"]:
            time.sleep(0.01)
        return Outcome(value=0.0)


_Seen.__module__ = "__main__"  # so that it travels by value: workers cannot import this file


def context(*devices: Device) -> TrialContext:
    return TrialContext(_Seen(), devices=frozenset(devices))


def seen_by(executor: ProcessExecutor | AutoExecutor, folder: Path, *gpus: float, first: int = 0) -> list[str]:
    """What CUDA_VISIBLE_DEVICES was to trials at the same time, each of which asks for some of `gpus`."""
    place = folder / f"place{first}"
    place.mkdir()
    params = {"place": str(place), "together": len(gpus)}
    specs = [
        TrialSpec(number, "see", params, folder / str(number), resources=TrialResources(gpus=each))
        for number, each in enumerate(gpus, first)
    ]
    run_trials(executor, *specs)
    return [(spec.directory / "outputs" / "seen.txt").read_text() for spec in specs]


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("each", "cpus", "seen"),
    [(0.5, 0.1, ["3", "3", "5", "5"]), (1, 1, ["3", "5"]), (2, 1, ["3,5"])],
)
def test_a_trial_sees_its_gpus_and_no_others(tmp_path: Path, each: float, cpus: float, seen: list[str]) -> None:
    executor = ProcessExecutor(ComputeOptions(gpus_per_trial=each, cpus_per_trial=cpus, max_workers=9))
    executor.start(context(Device.GPU))
    assert (executor.gpus_per_trial, executor.slots) == (each, len(seen))
    assert sorted(seen_by(executor, tmp_path, *[each] * len(seen))) == seen
    executor.close()


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("make", [ProcessExecutor, AutoExecutor])
def test_trials_on_cpus_run_beside_those_on_gpus(
    tmp_path: Path, make: Callable[..., ProcessExecutor | AutoExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    executor = make(ComputeOptions(gpus_per_trial=1, max_workers=4))
    executor.start(context(Device.CPU, Device.GPU))
    assert [executor.slots_on(device) for device in Device] == [2, 2]
    assert executor.slots == 4
    one, other, *rest = seen_by(executor, tmp_path, 1, 1, 0, 0)
    assert {one, other} == {"3", "5"}
    assert rest == ["", ""]
    executor.close()


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(("workers", "on_cpus", "on_gpus"), [(1, 1, 1), (2, 1, 1), (3, 1, 2), (8, 6, 2)])
def test_cores_are_shared_out_so_that_neither_waits_for_the_other(workers: int, on_cpus: int, on_gpus: int) -> None:
    executor = ProcessExecutor(ComputeOptions(gpus_per_trial=1, max_workers=workers))
    executor.start(context(Device.CPU, Device.GPU))
    assert (executor.slots_on(Device.CPU), executor.slots_on(Device.GPU)) == (on_cpus, on_gpus)
    executor.close()


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_is_used_where_there_is_one_and_nothing_was_said(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(max_workers=1))
    executor.prestart()  # begins with a worker without GPUs
    executor.start(context(Device.GPU))
    assert (executor.gpus_per_trial, executor.slots_on(Device.CPU)) == (1.0, 0)
    assert seen_by(executor, tmp_path, 1) == ["3"]
    assert executor.local_workers is not None
    assert len(executor.local_workers) == 1, "the one without GPUs has ended"
    executor.close()


@pytest.mark.parametrize(
    ("gpus", "told", "devices"), [(None, "", {Device.GPU}), (0, "3,5", {Device.GPU}), (1, "3", {Device.CPU})]
)
def test_trials_run_on_cpus_where_there_is_no_gpu_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpus: float | None, told: str, devices: set[Device]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", told)
    executor = ProcessExecutor(ComputeOptions(gpus_per_trial=gpus, max_workers=1))
    executor.start(context(*devices))
    assert (executor.gpus_per_trial, executor.slots_on(Device.GPU), executor.slots_on(Device.CPU)) == (0, 0, 1)
    assert seen_by(executor, tmp_path, 0) == [""]
    executor.close()


@pytest.mark.usefixtures("two_gpus")
def test_a_trial_for_which_there_are_no_workers_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(gpus_per_trial=1, max_workers=1))
    executor.start(context(Device.GPU))
    with pytest.raises(ExecutorError, match="Trial 7 computes on a cpu"):
        executor.submit(TrialSpec(7, "see", {}, tmp_path / "7"))
    executor.close()


@pytest.mark.usefixtures("two_gpus")
def test_the_gpu_of_a_killed_worker_is_given_to_the_next(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(gpus_per_trial=1, max_workers=9))
    executor.start(context(Device.GPU))
    assert executor.slots == 2
    place = tmp_path / "never"
    place.mkdir()
    params = {"place": str(place), "together": 2}
    executor.submit(TrialSpec(0, "see", params, tmp_path / "0", resources=TrialResources(gpus=1)))
    wait_for(lambda: executor.wait(0.05) == [] and (place / "0").exists())
    executor.stop(0, StopReason.CANCELLED, grace=0.0)
    ended: list[object] = []
    wait_for(lambda: ended.extend(executor.wait(0.05)) or bool(ended))
    assert isinstance(ended[0], TrialResult)
    assert sorted(seen_by(executor, tmp_path, 1, 1, first=1)) == ["3", "5"]
    executor.close()


def test_workers_say_what_is_free_on_their_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_gpus_by_nvml: Path
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(two_gpus_by_nvml))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    executor = ProcessExecutor(ComputeOptions(gpus_per_trial=1, max_workers=2))
    executor.start(context(Device.GPU))
    assert executor.gpu_memory is None
    assert sorted(seen_by(executor, tmp_path, 1, 1)) == ["0", "1"]
    assert executor.gpu_memory == 5_000_000_000
    executor.close()


@pytest.mark.parametrize("make", [ProcessExecutor, AutoExecutor, InlineExecutor])
@pytest.mark.parametrize(("told", "there"), [("", "none"), ("0", "only 1")])
def test_a_trial_that_needs_more_gpus_than_there_are_is_refused(
    monkeypatch: pytest.MonkeyPatch, make: Callable[..., ProcessExecutor], told: str, there: str
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", told)
    executor = make(ComputeOptions(gpus_per_trial=2))
    executor.prestart()
    with pytest.raises(ExecutorError, match=f"needs 2 GPUs .* sees {there}"):
        executor.start(context(Device.GPU, Device.CPU))
    executor.close()


_PRIVATE_RAY = """
import sys
from pathlib import Path
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.executor import RayExecutor
from automl.testing.behaviours import Behaviours
from automl.testing.driving import run_trials
from automl.engine.trial.contract import Device, TrialContext, TrialResources, TrialSpec

executor = RayExecutor(ComputeOptions(executor="ray", cpus_per_trial=1000))
executor.prestart()
executor.start(TrialContext(Behaviours(), devices=frozenset(Device)))
specs = [
    TrialSpec(number, "count_gpus", {}, Path(sys.argv[1]) / str(number), resources=TrialResources(gpus=number))
    for number in (0, 1)
]
print(executor.gpus_per_trial, executor.most, sorted(result.value for result in run_trials(executor, *specs)))
executor.close()
"""


@pytest.mark.slow
@pytest.mark.usefixtures("two_gpus")
def test_a_ray_of_our_own_has_the_gpus_and_room_for_both_kinds_of_workers(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PRIVATE_RAY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1.0 2 [0.0, 1.0]"


def test_a_share_is_given_on_the_gpu_with_the_fewest() -> None:
    shares = GpuShares(ComputeOptions(gpus_per_trial=1 / 3), ["a", "b"])
    assert [shares.take() for _ in range(4)] == ["a", "b", "a", "b"]
    shares.give_back("b")
    assert shares.take() == "b"


def _gpus_there() -> int:
    import torch

    return torch.cuda.device_count()


@pytest.mark.skipif(not Path("/proc/driver/nvidia/gpus").exists(), reason="there is no GPU here")
def test_real_gpus_are_found() -> None:
    assert len(visible_gpus()) == _gpus_there() > 0

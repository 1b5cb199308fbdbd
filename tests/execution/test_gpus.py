"""GPUs for worker processes. Where there are none, CUDA_VISIBLE_DEVICES names some that are not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from automl.client import Run
from automl.errors import ExecutorError
from automl.execution.auto import AutoExecutor
from automl.execution.gpus import GpuShares, visible_gpus
from automl.execution.options import ComputeOptions
from automl.execution.process import ProcessExecutor
from automl.testing.driving import run_trials, wait_for
from automl.trial.contract import Outcome, StopReason, TrialContext, TrialResult, TrialSpec


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


def seen_by(executor: ProcessExecutor | AutoExecutor, folder: Path, trials: int, first: int = 0) -> list[str]:
    """What CUDA_VISIBLE_DEVICES was to each of `trials` trials at the same time."""
    place = folder / f"place{first}"
    place.mkdir()
    params = {"place": str(place), "together": trials}
    specs = [TrialSpec(n, "see", params, folder / str(n)) for n in range(first, first + trials)]
    run_trials(executor, *specs)
    return sorted((spec.directory / "outputs" / "seen.txt").read_text() for spec in specs)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("each", "cpus", "seen"),
    [(0, 1, [""]), (0.5, 0.1, ["3", "3", "5", "5"]), (1, 1, ["3", "5"]), (2, 1, ["3,5"])],
)
def test_a_trial_sees_its_gpus_and_no_others(tmp_path: Path, each: float, cpus: float, seen: list[str]) -> None:
    executor = ProcessExecutor(ComputeOptions(gpus_per_trial=each, cpus_per_trial=cpus, max_workers=len(seen)))
    executor.start(TrialContext(_Seen()))
    assert executor.slots == len(seen)
    assert seen_by(executor, tmp_path, len(seen)) == seen
    executor.close()


@pytest.mark.usefixtures("two_gpus")
def test_the_gpu_of_a_killed_worker_is_given_to_the_next(tmp_path: Path) -> None:
    executor = ProcessExecutor(ComputeOptions(gpus_per_trial=1, max_workers=9))
    assert executor.slots == 9  # what there is shows at the start
    executor.start(TrialContext(_Seen()))
    assert executor.slots == 2
    place = tmp_path / "never"
    place.mkdir()
    waits = TrialSpec(0, "see", {"place": str(place), "together": 2}, tmp_path / "0")
    executor.submit(waits)
    wait_for(lambda: executor.wait(0.05) == [] and (place / "0").exists())
    executor.stop(0, StopReason.CANCELLED, grace=0.0)
    (result,) = executor.wait(10.0)
    assert isinstance(result, TrialResult)
    assert seen_by(executor, tmp_path, 2, first=1) == ["3", "5"]
    executor.close()


@pytest.mark.parametrize("make", [ProcessExecutor, AutoExecutor])
@pytest.mark.parametrize(("told", "there"), [("", "none"), ("0", "only 1")])
def test_a_trial_that_needs_more_gpus_than_there_are_is_refused(
    monkeypatch: pytest.MonkeyPatch, make: Callable[..., ProcessExecutor], told: str, there: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", told)
    executor = make(ComputeOptions(gpus_per_trial=2))
    executor.prestart()
    with pytest.raises(ExecutorError, match=f"needs 2 GPUs .* sees {there}"):
        executor.start(TrialContext(_Seen()))
    executor.close()


@pytest.mark.parametrize(
    ("told", "names"),
    [("0,2", ("0", "2")), ("", ()), ("-1", ()), ("1,-1,2", ("1",)), ("GPU-abc, MIG-x", ("GPU-abc", "MIG-x"))],
)
def test_visible_gpus_are_those_that_cuda_would_see(
    monkeypatch: pytest.MonkeyPatch, told: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", told)
    assert visible_gpus() == names


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

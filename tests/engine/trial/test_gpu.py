"""What a trial has used of its GPUs. Where there are none, a library in the place of NVML says that there are two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automl.client import Run
from automl.engine.trial.contract import Outcome, Status, TrialContext, TrialResources, TrialResult, TrialSpec
from automl.engine.trial.execute import execute
from automl.engine.trial.gpu import GpuMeter, free_memory, is_broken, is_out_of_memory, visible_gpus


@pytest.mark.parametrize(
    ("told", "names"),
    [("0,2", ("0", "2")), ("", ()), ("-1", ()), ("1,-1,2", ("1",)), ("GPU-abc, MIG-x", ("GPU-abc", "MIG-x"))],
)
def test_visible_gpus_are_those_that_cuda_would_see(
    monkeypatch: pytest.MonkeyPatch, told: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", told)
    assert visible_gpus() == names


_ASK = """
import json, sys
from automl.engine.trial.gpu import free_memory, visible_gpus
from automl.engine.trial.nvml import gpu, gpu_count
print(json.dumps([gpu_count(), visible_gpus(), free_memory(), gpu("1").utilization, gpu("7"), gpu("GPU-b").uuid]))
assert "torch" not in sys.modules
"""


def _ask(library: Path, **environment: str) -> Any:
    told = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        env={**told, "LD_LIBRARY_PATH": str(library), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nvml_is_asked_as_it_wants_to_be(two_gpus_by_nvml: Path) -> None:
    assert _ask(two_gpus_by_nvml) == [
        2,
        ["0", "1"],
        {"GPU-a": 8_000_000_000, "GPU-b": 5_000_000_000},
        0.75,
        None,
        "GPU-b",
    ]


def test_only_visible_gpus_are_asked_for_memory(two_gpus_by_nvml: Path) -> None:
    assert _ask(two_gpus_by_nvml, CUDA_VISIBLE_DEVICES="GPU-b")[1:3] == [["GPU-b"], {"GPU-b": 5_000_000_000}]
    assert _ask(two_gpus_by_nvml, CUDA_VISIBLE_DEVICES="")[1:3] == [[], {}]


_METER = """
import time
from automl.engine.trial.gpu import GpuMeter
meter = GpuMeter(1.0)
ends = time.monotonic() + 60
while len(meter._looks) < 2 and time.monotonic() < ends:
    time.sleep(0.02)
meter.stop()
print(len(meter._looks) >= 3, meter.utilization)
"""


def test_gpus_are_looked_at_again_and_again_while_a_trial_runs(two_gpus_by_nvml: Path) -> None:
    told = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    done = subprocess.run(
        [sys.executable, "-c", _METER],
        env={**told, "LD_LIBRARY_PATH": str(two_gpus_by_nvml)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["True", "0.5"], done.stderr


class _Work:
    metric = "score"

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        if self.error is not None:
            raise self.error
        return Outcome(value=1.0)


def _run(place: Path, work: _Work, gpus: float = 0.0) -> TrialResult:
    spec = TrialSpec(0, "any", {}, place / "0", resources=TrialResources(gpus=gpus))
    return execute(spec, TrialContext(work), emit=lambda report: None, stop_reason=lambda: None)


def test_a_trial_that_uses_no_gpu_has_none_in_its_record(tmp_path: Path) -> None:
    result = _run(tmp_path, _Work())
    assert (result.gpu_memory, result.gpu_utilization) == (None, None)


@pytest.mark.usefixtures("no_gpu")
def test_a_trial_is_measured_where_there_is_nothing_to_measure_with(tmp_path: Path) -> None:
    result = _run(tmp_path, _Work(), gpus=1.0)
    assert (result.status, result.gpu_memory, result.gpu_utilization) == (Status.COMPLETED, None, None)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def test_a_gpu_without_room_is_out_of_memory(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    error = torch.cuda.OutOfMemoryError("CUDA out of memory")
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("CUDA out of memory"))
    assert _run(tmp_path, _Work(error)).status is Status.OUT_OF_MEMORY


def test_records_from_before_gpus_were_measured_are_read() -> None:
    record = TrialResult(number=0, algorithm="any", status=Status.COMPLETED)
    old = {name: value for name, value in record.model_dump().items() if not name.startswith("gpu_")}
    assert TrialResult.model_validate(old) == record


def _has_gpu() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


@pytest.mark.skipif(not _has_gpu(), reason="there is no GPU here")
def test_the_peak_of_a_real_gpu_is_that_of_the_trial_alone() -> None:
    import torch

    big = torch.zeros(2**28, device="cuda")  # 1 GB, before the trial
    del big
    torch.cuda.empty_cache()
    meter = GpuMeter(1.0)
    held = torch.zeros(2**26, device="cuda")
    meter.stop()
    assert meter.memory is not None
    assert held.nbytes <= meter.memory < 2**29
    assert meter.utilization is not None
    assert 0 <= meter.utilization <= 1
    assert not is_broken()
    assert len(free_memory()) == len(visible_gpus()) == torch.cuda.device_count() > 0

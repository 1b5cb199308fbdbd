"""GPUs from the file to the record: who gets one, who does not, and what is said where there is none.

A logistic regression that says that it uses GPUs stands in for a net, and a library in the place of NVML for the GPUs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import automl
from automl import api
from automl.engine.trial.contract import TrialResult
from automl.errors import ConfigError, ExecutorError
from automl.experiment.result import Result

LINE: dict[str, Any] = {
    "estimator": "sklearn.linear_model.LogisticRegression",
    "params": {"C": {"type": "float", "low": 0.01, "high": 10.0, "log": True}},
}
TRIALS = 4  # both algorithms are among them
ALGORITHMS = {"net": {**LINE, "gpu": True}, "line": LINE}


def fit(workspace: Path, algorithms: dict[str, Any] | None = None, **compute: Any) -> Result:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    table = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=np.where(X[:, 0] > X[:, 1], "yes", "no"))
    return automl.fit(
        "classification",
        table,
        target="y",
        name="nets",
        max_trials=TRIALS,
        validation={"folds": 2, "repeats": 1},
        search={"space": {"algorithms": algorithms or ALGORITHMS}, "sampler": "random", "pruner": "none"},
        workspace=str(workspace),
        compute={"executor": "process", "max_workers": 2, **compute},
        tracking=None,
        registry=None,
        progress=False,
    )


def utilization(result: Result) -> dict[str, set[float | None]]:
    """What the records say, by algorithm."""
    files = sorted(Path(result.directory).glob("trials/*/trial.json"))
    records = [TrialResult.model_validate_json(file.read_bytes()) for file in files]
    assert len(records) == TRIALS
    return {name: {record.gpu_utilization for record in records if record.algorithm == name} for name in ALGORITHMS}


def test_a_gpu_goes_to_those_that_use_it_and_stands_in_their_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_gpus_by_nvml: Path
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(two_gpus_by_nvml))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    result = fit(tmp_path)
    assert utilization(result) == {"net": {0.75}, "line": {None}}
    assert set(result.trials()["gpu_utilization"].dropna()) == {0.75}
    (number, *_) = result.trials().query("algorithm == 'net'")["trial"]
    assert api.replay(result.directory, trial=number).replayed.gpu_utilization == 0.75


def test_a_gpu_that_was_asked_for_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(ExecutorError, match=r"needs 1 GPU \(compute.gpus_per_trial\), and this process sees none"):
        fit(tmp_path, gpus_per_trial=1)


def test_gpus_that_no_algorithm_uses_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(ConfigError, match="none of the algorithms \\(line\\) uses any"):
        fit(tmp_path, {"line": LINE}, gpus_per_trial=0.5)


def test_a_plan_refuses_them_too_and_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text("task: classification\ndata: iris\nlimits: {max_trials: 1}\ncompute:\n  gpus_per_trial: 1\n")
    with pytest.raises(ConfigError, match=r"yaml:5: compute\.gpus_per_trial.* uses any"):
        api.plan(file)

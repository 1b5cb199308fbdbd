"""A distribution of somebody else's that brings one thing of every kind: installed, found, and used by a search."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = '''
"""What a third party installs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from pydantic import Field

from automl.learning.algorithms.adapters.sklearn import SklearnLearner
from automl.engine.execution.process import ProcessExecutor
from automl.learning.metrics.base import Metric
from automl.options import Options
from automl.engine.stopping.base import ExitCriterion
from automl.engine.pruners.base import Pruner
from automl.engine.samplers.base import Sampler
from automl.learning.features.native import NativeView
from automl.learning.tasks.regression import Regression


class Middle:
    """Predicts a quantile of the target."""

    def __init__(self, share=0.5):
        self.share = share

    def get_params(self, deep=True):
        return {"share": self.share}

    def set_params(self, **params):
        vars(self).update(params)
        return self

    def fit(self, X, y):
        self.value_ = float(np.quantile(y, self.share))
        return self

    def predict(self, X):
        return np.full(len(X), self.value_)


class ToyLearner(SklearnLearner):
    pass


def learner_class(estimator):
    return ToyLearner


class Counts(Regression):
    name = "counts"

    def default_metric(self, n_classes):
        return "toy_error"


class ToyView(NativeView):
    pass


def toy_error(predictions):
    return float(np.mean(abs(predictions.y_true - predictions.prediction)))


METRIC = Metric("toy_error", False, "values", frozenset({"counts"}), toy_error)


class ToyLimits(Options):
    toy_trials: int | None = Field(default=None, description="trials")


class ToyExit(ExitCriterion):
    Limits = ToyLimits

    def __init__(self, trials):
        self.trials = trials

    @classmethod
    def from_limits(cls, limits: Any):
        return None if limits.toy_trials is None else cls(limits.toy_trials)

    def check(self, state):
        return f"toy_trials: {state.proposed} trials" if state.proposed >= self.trials else None


class ToySampler(Sampler):
    name = "toy_sampler"
    learns = False

    def make(self, seed):
        return RandomSampler(seed=seed)


class ToyPruner(Pruner):
    name = "toy_pruner"

    def make(self, steps=None):
        return NopPruner()


def make_executor(options, deadline):
    return ProcessExecutor(options, deadline)
'''
ENTRY_POINTS = """
[automl.algorithms]
middle = toy_plugin:Middle
[automl.learners]
toy_plugin = toy_plugin:learner_class
[automl.metrics]
toy = toy_plugin:METRIC
[automl.tasks]
counts = toy_plugin:Counts
[automl.views]
toy_view = toy_plugin:ToyView
[automl.exit_criteria]
toy = toy_plugin:ToyExit
[automl.samplers]
toy = toy_plugin:ToySampler
[automl.pruners]
toy = toy_plugin:ToyPruner
[automl.executors]
toy_executor = toy_plugin:make_executor
"""
EXPERIMENT = """
task: counts
data: {source: table.csv, target: y}
validation: {folds: 2}
limits: {toy_trials: 3}
search:
  sampler: toy_sampler
  pruner: toy_pruner
  space:
    algorithms:
      middle:
        estimator: toy_plugin.Middle
        view: toy_view
        params: {share: {type: float, low: 0.1, high: 0.9}}
compute: {executor: toy_executor, max_workers: 1}
tracking: null
registry: null
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages that holds the plugin, as an installer would have left it."""
    place = tmp_path / "site"
    information = place / "toy_plugin-1.0.dist-info"
    information.mkdir(parents=True)
    (place / "toy_plugin.py").write_text(PLUGIN)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-plugin\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    return place


def automl(site: Path | None, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [*([] if site is None else [str(site)]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "automl", *arguments]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120)


def test_a_search_made_of_plugins_alone(site: Path, tmp_path: Path) -> None:
    rows = "".join(f"{i},{i % 7},{(i * 3) % 11}\n" for i in range(60))
    (tmp_path / "table.csv").write_text("a,b,y\n" + rows)
    (tmp_path / "toy.yaml").write_text(EXPERIMENT)
    done = automl(site, tmp_path, "run", "toy.yaml", "--workspace", "ws", "--json")
    assert done.returncode == 0, done.stderr
    (result,) = (tmp_path / "ws").glob("*/*/result.json")
    summary = json.loads(result.read_text())
    assert (summary["task"], summary["metric"]) == ("counts", "toy_error")
    assert summary["stopped_because"] == "toy_trials: 3 trials"
    assert summary["counts"] == {"COMPLETED": 3}
    (model,) = result.parent.glob("trials/00000/models/fold_00.joblib")
    assert b"ToyLearner" in model.read_bytes()
    assert b"ToyView" in model.read_bytes()
    schema = json.loads(automl(site, tmp_path, "schema").stdout)
    assert "toy_trials" in json.dumps(schema)


def test_without_the_plugin_its_names_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(EXPERIMENT)
    done = automl(None, tmp_path, "validate", "toy.yaml")
    assert done.returncode == 2
    for key in ("task", "toy_trials", "toy_executor"):
        assert key in done.stderr
    assert "Traceback" not in done.stderr

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import automl
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.experiment.result import Result
from automl.registry.candidate import Candidate

TABLE = pd.DataFrame(
    {
        "length": np.random.default_rng(0).normal(size=60),
        "count": np.arange(60),
        "colour": ["red", "blue", None] * 20,
    }
)
LABELS = np.where(TABLE["length"] > 0, "long", "short").astype(object)


@pytest.fixture(scope="session")
def table() -> tuple[pd.DataFrame, np.ndarray]:
    return TABLE, LABELS


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One trial of two folds, with all that a trial leaves."""
    return automl.fit(
        "classification",
        (TABLE, LABELS),
        metric="accuracy",
        max_trials=1,
        name="flowers",
        validation={"folds": 2, "repeats": 1},
        search={"algorithms": {"allow": ["lda"]}, "portfolio": False},
        compute={"executor": "inline"},
        workspace=str(tmp_path_factory.mktemp("fitted")),
        registry=None,
        tracking=None,
        progress=False,
    )


@pytest.fixture
def home(workspace: Path) -> Workspace:
    return Workspace(workspace / 'it\'s a "100%" path?')  # no URI could hold it


@pytest.fixture
def experiment(home: Workspace, fitted: Result) -> ExperimentDirectory:
    """A copy of the experiment in a workspace of the test's own."""
    return ExperimentDirectory(shutil.copytree(fitted.directory, home.root / "flowers" / fitted.directory.name))


@pytest.fixture
def make_candidate(experiment: ExperimentDirectory) -> Callable[..., Candidate]:
    """A candidate around the models of the trial; `salt` makes them other ones that predict the same."""

    def make(salt: int = 0, **fields: Any) -> Candidate:
        trial = experiment.trial(0)
        models = experiment.path / f"models-{salt}"
        shutil.copytree(trial.models, models, dirs_exist_ok=True)
        with (models / "fold_00.joblib").open("ab") as file:
            file.write(bytes(salt))  # after the end of the pickle
        given = {
            "name": "flowers",
            "directory": experiment.path,
            "trial": 0,
            "models": models,
            "check": trial.check,
            "example": next(experiment.data.glob("example.*")),
            "metric": "accuracy",
            "value": 0.9,
            "data_fingerprint": "d" * 64,
            "split_plan": "s" * 64,
            "seed": 7,
            "framework": "scikit-learn",
            "packages": {"scikit-learn": "1.9.1"},
        }
        return Candidate.model_validate({**given, **fields})

    return make

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from automl.registry.candidate import Candidate, write_example
from automl.registry.store import resolve_uri
from automl.workspace.layout import ExperimentDirectory, Workspace


@pytest.fixture
def home(workspace: Path) -> Workspace:
    return Workspace(workspace / "with blank")  # as in many people's paths


@pytest.fixture
def uri(home: Workspace) -> str:
    return resolve_uri(None, home)


@pytest.fixture
def experiment(home: Workspace) -> ExperimentDirectory:
    return home.create_experiment("flowers")


@pytest.fixture(scope="session")
def table() -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(0)
    X = pd.DataFrame(
        {"length": generator.normal(size=60), "count": np.arange(60), "colour": ["red", "blue", None] * 20}
    )
    return X, np.where(X["length"] > 0, "long", "short").astype(object)


@pytest.fixture(scope="session")
def fitted(table: tuple[pd.DataFrame, np.ndarray]) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    numeric = make_column_transformer(("passthrough", ["length"]))
    return make_pipeline(numeric, LogisticRegression()).fit(*table)


@pytest.fixture
def make_candidate(
    experiment: ExperimentDirectory, table: tuple[pd.DataFrame, np.ndarray], fitted: Any
) -> Callable[..., Candidate]:
    """A candidate around a copy of the fitted pipeline; `salt` makes its file another one."""

    def make(salt: int = 0, model: Any = None, **fields: Any) -> Candidate:
        path = experiment.path / f"model-{salt}.joblib"
        estimator = fitted if model is None else model
        estimator.salt_ = salt
        joblib.dump(estimator, path)
        given = {
            "name": "flowers",
            "directory": str(experiment.path),
            "trial": 3,
            "model": str(path),
            "example": str(write_example(table[0], experiment.path / "example")),
            "metric": "accuracy",
            "value": 0.9,
            "data_fingerprint": "d" * 64,
            "split_plan": "s" * 64,
            "seed": 7,
            "framework": "scikit-learn",
            "packages": {"scikit-learn": "1.9.1"},
        }
        return Candidate(**{**given, **fields})

    return make

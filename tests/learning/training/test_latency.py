"""The time to predict one row is measured, and never costs a trial."""

from __future__ import annotations

import logging
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.learning.algorithms.pipeline import FittedPipeline
from automl.learning.data.load import load_table
from automl.learning.training.latency import Latency

PAUSE = 0.02


class Model:
    """A learner and its view in one: what it predicts does not matter here."""

    def __init__(self, *, most_calls: int = 100, pause: float = 0.0) -> None:
        self.rows: list[int] = []
        self._most_calls, self._pause = most_calls, pause

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        self.rows.append(len(X))
        if len(self.rows) > self._most_calls:
            raise ValueError("this model needs two rows")
        time.sleep(self._pause)
        return np.zeros(len(X))


@pytest.fixture(scope="module")
def iris() -> SimpleNamespace:
    table = load_table("iris", task="classification")
    return SimpleNamespace(row=table.X.iloc[:1], columns=table.columns)


def measure(latency: Latency, model: Any, iris: SimpleNamespace) -> None:
    latency.measure(FittedPipeline(model, model, iris.columns), iris.row)


def test_a_request_waits_for_every_fold_model(iris: SimpleNamespace) -> None:
    latency, model = Latency(folds=4), Model(pause=PAUSE)
    for _ in range(4):
        measure(latency, model, iris)
    assert latency.seconds is not None
    assert latency.seconds >= 4 * PAUSE


@pytest.mark.parametrize("folds", [1, 2, 3, 5, 30])
def test_the_number_of_calls_is_bounded_and_each_is_for_one_row(folds: int, iris: SimpleNamespace) -> None:
    latency, model = Latency(folds), Model()
    for _ in range(folds):
        measure(latency, model, iris)
    assert model.rows == [1] * 5
    assert latency.seconds is not None


def test_a_model_that_cannot_predict_one_row_has_no_latency_and_is_told_of_once(
    iris: SimpleNamespace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("automl"), "propagate", True)
    latency = Latency(folds=3)
    for _ in range(3):
        measure(latency, Model(most_calls=1), iris)
    assert latency.seconds is None
    assert [record.message for record in caplog.records] == [
        "the time for a single row is unknown: ValueError: this model needs two rows"
    ]


def test_nothing_measured_is_unknown() -> None:
    assert Latency(folds=3).seconds is None

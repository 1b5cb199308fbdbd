"""Every algorithm of the shipped search spaces keeps the contract, and the suite notices one that does not."""

from __future__ import annotations

import importlib.util
import inspect
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from automl.engine.space.load import load_space
from automl.errors import TrustError
from automl.learning.algorithms.trust import resolve_estimator
from automl.testing.algorithms import AlgorithmSuite

ROUNDS = ("lightgbm", "xgboost", "catboost")
QUICK = {
    "catboost": {"iterations": 50},
    "lightgbm": {"n_estimators": 50},
    "xgboost": {"n_estimators": 50},
    "hist_gradient_boosting": {"max_iter": 50},
}
SHORTENED = {"mlp": {"max_iter": 50}, "random_forest": {"n_estimators": 20}, "extra_trees": {"n_estimators": 20}}
"""What a space fixes, and would take seconds in every fit."""
SPACES = {task: load_space(None, task=task).algorithms for task in ("classification", "regression")}
SHIPPED = [pytest.param((task, name), id=f"{task}-{name}") for task, space in SPACES.items() for name in space]


class TestShipped(AlgorithmSuite):
    @pytest.fixture(autouse=True, params=SHIPPED)
    def _chosen(self, request: pytest.FixtureRequest) -> None:
        self.task, name = request.param
        self.entry = SPACES[self.task][name]
        if self.entry.package is None or importlib.util.find_spec(self.entry.package) is None:
            pytest.skip(f"{self.entry.package} is an extra")
        estimator = resolve_estimator(str(self.entry.estimator), trust=False)
        self.params = QUICK.get(name, {})
        if name in SHORTENED:
            self.entry = self.entry.model_copy(update={"fixed": {**self.entry.fixed, **SHORTENED[name]}})
        self.weighs = "sample_weight" in inspect.signature(estimator.fit).parameters
        self.rounds = name in ROUNDS


class Nearest(ClassifierMixin, BaseEstimator):
    """A plugin's estimator: the class of the nearest centre, with probabilities."""

    def __init__(self, power: float = 1.0) -> None:
        self.power = power

    def fit(self, X: np.ndarray, y: np.ndarray) -> Nearest:
        self.classes_ = np.unique(y)
        self.centres_ = np.stack([X[y == label].mean(axis=0) for label in self.classes_])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        distances = np.linalg.norm(X[:, None] - self.centres_, axis=2)
        closeness = np.exp(-self.power * (distances - distances.min(axis=1, keepdims=True)))
        return closeness / closeness.sum(axis=1, keepdims=True)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class TestPlugin(AlgorithmSuite):
    entry: ClassVar[dict[str, Any]] = {
        "estimator": f"{Nearest.__module__}.Nearest",
        "params": {"power": {"type": "float", "low": 0.01, "high": 100.0, "log": True, "default": 1.0}},
    }
    weighs = False
    trust = True


class Careless(Nearest):
    """Breaks the contract: it draws from the global generator, writes into its input, and cannot be pickled."""

    def __init__(self, power: float = 1.0, mode: str = "draw") -> None:
        super().__init__(power)
        self.mode = mode

    def fit(self, X: np.ndarray, y: np.ndarray) -> Nearest:
        super().fit(X, y)
        if self.mode == "draw":
            self.centres_ += np.random.normal(size=self.centres_.shape)
        if self.mode == "write":
            X *= 0.5
        if self.mode == "lambda":
            self.callback_ = lambda: None
        if self.mode == "raise" and self.power == 100.0:
            raise ValueError("no such power")
        return self


@pytest.mark.parametrize(
    ("mode", "test", "error"),
    [
        ("draw", "test_the_same_seed_gives_the_same_bits", AssertionError),
        ("write", "test_matrices_may_be_read_only_and_are_left_as_they_are", AssertionError),
        ("lambda", "test_a_fitted_model_survives_pickling", Exception),
        ("raise", "test_every_configuration_at_the_borders_of_its_space_fits", ValueError),
    ],
)
def test_an_algorithm_that_breaks_the_contract_is_noticed(mode: str, test: str, error: type[Exception]) -> None:
    class Suite(AlgorithmSuite):
        entry: ClassVar[dict[str, Any]] = {
            **TestPlugin.entry,
            "estimator": f"{Careless.__module__}.Careless",
            "fixed": {"mode": mode},
        }
        weighs = False
        trust = True

    with pytest.raises(error):
        getattr(Suite(), test)()


def test_an_estimator_of_a_stranger_needs_trust() -> None:
    class Suite(TestPlugin):
        trust = False

    with pytest.raises(TrustError):
        Suite().test_its_entry_is_a_search_space_of_its_own()

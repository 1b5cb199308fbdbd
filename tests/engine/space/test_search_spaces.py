"""The shipped spaces: every algorithm fits, with its defaults and with what is asked of it."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import optuna
import pytest
from threadpoolctl import threadpool_limits

from automl.engine.space.load import load_space
from automl.engine.space.space import SearchSpace
from automl.learning.algorithms.trust import resolve_estimator

SPACES: dict[str, SearchSpace] = {task: load_space(None, task=task) for task in ("classification", "regression")}
ALGORITHMS = [(task, name) for task, space in SPACES.items() for name in space.algorithms]

QUICK = {"n_estimators": 10, "max_iter": 20, "iterations": 10}
"""Rounds for the tests: more of them would check nothing else."""


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 4)).astype(np.float32)
    return X, (X[:, 0] + X[:, 1] ** 2 + 0.1 * rng.normal(size=90))


def arguments(estimator: type, params: dict[str, Any]) -> dict[str, Any]:
    known = inspect.signature(estimator.__init__).parameters
    quiet: dict[str, Any] = {"verbose": 0, "random_state": 0}
    if estimator.__module__.startswith("xgboost"):
        return {**params, "n_jobs": 1, "verbosity": 0}
    if estimator.__module__.startswith("catboost"):
        return {**params, "verbose": 0, "thread_count": 1}
    if estimator.__module__.startswith("lightgbm"):
        return {**params, "verbosity": -1, "n_jobs": 1}
    return {**params, **{name: value for name, value in quiet.items() if name in known}}


@pytest.mark.parametrize(("task", "name"), ALGORITHMS)
def test_every_algorithm_fits(task: str, name: str, data: tuple[np.ndarray, np.ndarray]) -> None:
    algorithm = SPACES[task].algorithms[name]
    assert algorithm.estimator is not None
    if algorithm.package in ("xgboost", "catboost"):
        pytest.importorskip(algorithm.package)
    X, y = data
    target = np.digitize(y, np.quantile(y, [1 / 3, 2 / 3])) if task == "classification" else y
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    estimator = resolve_estimator(algorithm.estimator, trust=False)
    configurations = [algorithm.complete({}), *(algorithm.ask(study.ask(), name) for _ in range(3))]
    for params in configurations:
        known = {**algorithm.fixed, **params}
        rounds = {key: value for key, value in QUICK.items() if key in known}
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("error", FutureWarning)  # a deprecated argument in a space
            warnings.simplefilter("ignore", UserWarning)  # too few rounds to converge
            model = estimator(**arguments(estimator, {**known, **rounds})).fit(X, target)
            prediction = np.asarray(model.predict(X))
        assert prediction.reshape(-1).shape == (90,)
        assert set(np.unique(prediction)) <= {0, 1, 2} if task == "classification" else np.isfinite(prediction).all()


@pytest.mark.parametrize(("task", "name"), ALGORITHMS)
def test_every_parameter_is_the_estimators_own(task: str, name: str) -> None:
    algorithm = SPACES[task].algorithms[name]
    if algorithm.package in ("xgboost", "catboost"):
        pytest.importorskip(algorithm.package)
    estimator = resolve_estimator(str(algorithm.estimator), trust=False)
    names = [*algorithm.fixed, *algorithm.params]
    if algorithm.package in ("lightgbm", "xgboost"):  # they take anything: what they do not know, they only warn of
        known = set(estimator().get_params()) | {"extra_trees"}
    else:
        known = set(inspect.signature(estimator.__init__).parameters)
    assert [n for n in names if n not in known] == []


@pytest.mark.parametrize(("task", "name"), ALGORITHMS)
def test_every_parameter_has_a_default(task: str, name: str) -> None:
    """So that a portfolio entry is a whole configuration, with nothing left to chance."""
    missing = [n for n, parameter in SPACES[task].algorithms[name].params.items() if not parameter.has_default]
    assert missing == []


@pytest.mark.parametrize("task", SPACES)
def test_the_portfolio_is_inside_its_space_and_repeats_nothing(task: str) -> None:
    space = SPACES[task]
    seen = set()
    for entry in space.portfolio:
        params = space.configuration(entry)
        encoded = space.algorithms[entry.algorithm].encode(params, entry.algorithm)
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        study.enqueue_trial(encoded)
        assert space.algorithms[entry.algorithm].ask(study.ask(), entry.algorithm) == params
        seen.add(repr((entry.algorithm, sorted(params.items()))))
    assert len(seen) == len(space.portfolio)


def test_the_first_trial_is_cheap() -> None:
    assert SPACES["classification"].portfolio[0].algorithm == "logistic_regression"
    assert SPACES["regression"].portfolio[0].algorithm == "ridge"

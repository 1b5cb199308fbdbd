"""The conformance suite of algorithms: an entry of a search space, and the adapter of its library if it has one.

Derive it, and say what yours is.
"""

from __future__ import annotations

import math
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FixedTrial
from threadpoolctl import threadpool_limits

from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.errors import SpaceError
from automl.learning.algorithms.base import Learner
from automl.learning.algorithms.estimators import make_learner
from automl.learning.algorithms.trust import check_estimators, check_trust
from automl.testing.problems import Problem, problems

__all__ = ["AlgorithmSuite"]

_THREADS = ("n_jobs", "thread_count", "nthread", "num_threads")
_UNKNOWN = "no_such_parameter"


class AlgorithmSuite:
    """The duties of an algorithm.

    Attributes:
        entry: as below ``algorithms:`` of a search space.
        task: ``classification`` (of two and of three classes) or ``regression``.
        params: a configuration that is quick to fit, where the defaults are not.
        strict: False if the estimator takes names that it does not know: a misspelt one then goes unnoticed.
        weighs: False if the estimator cannot weight rows; it is trained without weights then.
        rounds: whether a fit goes in rounds: it says how far it is, and ends when it is told to.
        trust: True for a path outside the packages of plugins.

    Example:
        >>> class TestRidge(AlgorithmSuite):
        ...     entry = {
        ...         "estimator": "sklearn.linear_model.Ridge",
        ...         "params": {"alpha": {"type": "float", "low": 0.0, "high": 9.0}},
        ...     }
        ...     task = "regression"
    """

    entry: ClassVar[Mapping[str, Any] | AlgorithmSpace]
    task: ClassVar[str] = "classification"
    params: ClassVar[Mapping[str, Any]] = {}
    strict: ClassVar[bool] = True
    weighs: ClassVar[bool] = True
    rounds: ClassVar[bool] = False
    trust: ClassVar[bool] = False
    _fitted: ClassVar[dict[str, Learner]] = {}

    @pytest.fixture(autouse=True)
    def _one_thread(self) -> Iterator[None]:
        """As a trial of one core runs."""
        with threadpool_limits(1):
            yield

    # --- what a search space says

    def test_its_entry_is_a_search_space_of_its_own(self) -> None:
        space = SearchSpace(algorithms={"it": self.space})
        check_trust(space, trust=self.trust)
        check_estimators(space, trust=self.trust)
        self.space.encode(self.space.complete(), "")  # its defaults are in their ranges

    def test_every_configuration_at_the_borders_of_its_space_fits(self) -> None:
        problem = self.problems[-1]
        for params in _borders(self.space):
            learner = self.learner(problem, **params)
            learner.fit(problem.train, problem.y_train, categorical=problem.categorical, progress=_Progress(stop=20))
            self.assert_predictions(problem, learner.predict(problem.valid))

    def test_an_unknown_parameter_is_refused_by_name(self) -> None:
        problem = self.problems[0]
        if not self.strict:
            pytest.skip("it takes any name")
        with pytest.raises(SpaceError, match=_UNKNOWN):
            self.fit(problem, **{_UNKNOWN: 1})

    # --- fitting and predicting

    def test_it_learns_from_a_table_with_gaps_and_categories(self) -> None:
        for problem in self.problems:
            predicted = self.fitted(problem).predict(problem.valid)
            self.assert_predictions(problem, predicted)
            assert problem.error(predicted) < problem.error_of_a_constant()

    def test_the_same_seed_gives_the_same_bits(self) -> None:
        for problem in self.problems:
            again = self.fit(problem)
            np.testing.assert_array_equal(again.predict(problem.valid), self.fitted(problem).predict(problem.valid))

    def test_a_row_is_predicted_the_same_alone_and_among_others(self) -> None:
        for problem in self.problems:
            learner = self.fitted(problem)
            np.testing.assert_allclose(
                learner.predict(problem.valid[:3]), learner.predict(problem.valid)[:3], rtol=1e-5, atol=1e-6
            )

    def test_a_fitted_model_survives_pickling(self) -> None:
        for problem in self.problems:
            learner = self.fitted(problem)
            copy = pickle.loads(pickle.dumps(learner))
            np.testing.assert_array_equal(copy.predict(problem.valid), learner.predict(problem.valid))

    def test_matrices_may_be_read_only_and_are_left_as_they_are(self) -> None:
        problem = self.problems[0]
        train, valid = problem.train.copy(), problem.valid.copy()
        train.flags.writeable = valid.flags.writeable = False  # as memory maps are
        self.learner(problem).fit(train, problem.y_train, categorical=problem.categorical)
        writable = problem.train.copy(), problem.valid.copy()
        learner = self.learner(problem)
        learner.fit(writable[0], problem.y_train, categorical=problem.categorical, valid=writable[1])
        learner.predict(writable[1])
        np.testing.assert_array_equal(writable[0], problem.train)
        np.testing.assert_array_equal(writable[1], problem.valid)

    def test_classes_that_the_training_rows_lack_get_probability_0(self) -> None:
        problem = self.problems[-1]
        if problem.n_classes is None:
            pytest.skip("regression has no classes")
        rows = problem.y_train != 1
        learner = self.learner(problem)
        learner.fit(problem.train[rows], problem.y_train[rows], categorical=problem.categorical)
        predicted = learner.predict(problem.valid)
        self.assert_predictions(problem, predicted)
        assert (predicted[:, 1] == 0).all()

    def test_weights_are_heeded_unless_it_cannot_weigh(self) -> None:
        problem = self.problems[0]
        weight = np.where(np.arange(len(problem.train)) % 2, 5.0, 0.2)
        learner = self.learner(problem)
        learner.fit(problem.train, problem.y_train, weight=weight, categorical=problem.categorical)
        predicted = learner.predict(problem.valid)
        self.assert_predictions(problem, predicted)
        heeded = not np.array_equal(predicted, self.fitted(problem).predict(problem.valid))
        assert heeded == self.weighs

    def test_it_uses_as_many_threads_as_it_is_given(self) -> None:
        problem = self.problems[0]
        learner = self.learner(problem, threads=2)
        learner.fit(problem.train, problem.y_train, categorical=problem.categorical)
        given = learner.model.get_params() if hasattr(learner.model, "get_params") else {}
        for name in _THREADS:
            if name in given and type(learner.model).__name__ not in learner.unthreaded:
                assert given[name] == 2

    # --- rounds

    def test_a_fit_that_is_watched_gives_the_same_model(self) -> None:
        problem, watching = self.problems[-1], _Progress()
        learner = self.learner(problem)
        learner.fit(
            problem.train, problem.y_train, categorical=problem.categorical, valid=problem.valid, progress=watching
        )
        np.testing.assert_array_equal(learner.predict(problem.valid), self.fitted(problem).predict(problem.valid))
        assert (watching.asked > 0) == self.rounds
        assert bool(watching.seen) == learner.reports
        fractions = [fraction for fraction, _ in watching.seen]
        assert fractions == sorted(fractions)
        assert all(0 < fraction < 1 for fraction in fractions)
        for _, predicted in watching.seen:
            self.assert_predictions(problem, predicted)
        pickle.dumps(learner)  # it holds nothing of what watched it

    def test_a_fit_ends_when_it_is_told_to(self) -> None:
        if not self.rounds:
            pytest.skip("its fit does not go in rounds")
        problem, stopping = self.problems[-1], _Progress(stop=3)
        learner = self.learner(problem)
        learner.fit(
            problem.train, problem.y_train, categorical=problem.categorical, valid=problem.valid, progress=stopping
        )
        assert stopping.asked == 3
        predicted = learner.predict(problem.valid)
        self.assert_predictions(problem, predicted)
        assert not np.array_equal(predicted, self.fitted(problem).predict(problem.valid))

    # --- what the tests share

    @property
    def space(self) -> AlgorithmSpace:
        return self.entry if isinstance(self.entry, AlgorithmSpace) else AlgorithmSpace.model_validate(self.entry)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Small tables as this algorithm's view of them; the last is the hardest."""
        return problems(self.task, self.space.view)

    def learner(self, problem: Problem, *, threads: int = 1, **params: Any) -> Learner:
        """The unfitted model with a configuration."""
        chosen = self.space.complete({**self.params, **params})
        return make_learner(
            self.space, chosen, task=self.task, seed=11, threads=threads, trust=self.trust, n_classes=problem.n_classes
        )

    def fit(self, problem: Problem, **params: Any) -> Learner:
        learner = self.learner(problem, **params)
        learner.fit(problem.train, problem.y_train, categorical=problem.categorical)
        return learner

    def fitted(self, problem: Problem) -> Learner:
        """A model that several tests look at and none changes."""
        key = f"{type(self).__qualname__} {self.space.model_dump_json()} {problem.name}"
        if key not in self._fitted:
            self._fitted[key] = self.fit(problem)
        return self._fitted[key]

    def assert_predictions(self, problem: Problem, predicted: np.ndarray) -> None:
        """Probabilities or values of all rows in `problem.valid`."""
        assert predicted.dtype == np.float64
        assert np.isfinite(predicted).all()
        if problem.n_classes is None:
            assert predicted.shape == (len(problem.valid),)
            return
        assert predicted.shape == (len(problem.valid), problem.n_classes)
        assert (predicted >= 0).all()
        np.testing.assert_allclose(predicted.sum(axis=1), 1)


class _Progress:
    """A `Progress` that keeps what it is told and, as a worker's, cannot be pickled.

    Args:
        stop: end the fit when it asks for the `stop`-th time.
    """

    wanted = True
    anytime = False
    seconds_left = math.inf
    fidelity = 1.0
    predictions = 1.0
    checkpoints = None

    def __init__(self, stop: int | None = None) -> None:
        self.asked, self.seen = 0, list[tuple[float, np.ndarray]]()
        self._stop, self._lock = stop, threading.Lock()

    def should_stop(self) -> bool:
        self.asked += 1
        return self._stop is not None and self.asked >= self._stop

    def report(self, fraction: float, predict: Callable[[], np.ndarray]) -> None:
        self.seen.append((fraction, predict()))


def _borders(space: AlgorithmSpace) -> Iterator[dict[str, Any]]:
    """Configurations that together hold both ends of every range and every choice."""
    edges = {name: _edges(parameter.distribution()) for name, parameter in space.params.items()}
    for index in range(max(map(len, edges.values()), default=1)):
        suggested = {name: values[index % len(values)] for name, values in edges.items()}
        yield space.ask(FixedTrial(suggested), "")  # which leaves out those that do not exist beside the others


def _edges(distribution: Any) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return [distribution.low, distribution.high]

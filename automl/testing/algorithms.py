"""The conformance suite of algorithms: an entry of a search space, and the adapter of its library if it has one.

Derive `AlgorithmSuite`, and give it the entry of your algorithm.
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
from automl.testing.small_tables import SmallTable, small_tables

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
        """Limit libraries to one thread, as in a trial of one core."""
        with threadpool_limits(1):
            yield

    # --- what a search space says

    def test_its_entry_is_a_search_space_of_its_own(self) -> None:
        space = SearchSpace(algorithms={"it": self.space})
        check_trust(space, trust=self.trust)
        check_estimators(space, trust=self.trust)
        self.space.encode(self.space.complete(), "")  # its defaults are in their ranges

    def test_every_configuration_at_the_borders_of_its_space_fits(self) -> None:
        table = self.tables[-1]
        for params in _borders(self.space):
            learner = self.learner(table, **params)
            learner.fit(table.train, table.y_train, categorical=table.categorical, progress=_Progress(stop=20))
            self.assert_predictions(table, learner.predict(table.valid))

    def test_an_unknown_parameter_is_refused_by_name(self) -> None:
        table = self.tables[0]
        if not self.strict:
            pytest.skip("it takes any name")
        with pytest.raises(SpaceError, match=_UNKNOWN):
            self.fit(table, **{_UNKNOWN: 1})

    # --- fitting and predicting

    def test_it_learns_from_a_table_with_gaps_and_categories(self) -> None:
        for table in self.tables:
            predicted = self.fitted(table).predict(table.valid)
            self.assert_predictions(table, predicted)
            assert table.error(predicted) < table.error_of_a_constant()

    def test_the_same_seed_gives_the_same_bits(self) -> None:
        for table in self.tables:
            again = self.fit(table)
            np.testing.assert_array_equal(again.predict(table.valid), self.fitted(table).predict(table.valid))

    def test_a_row_is_predicted_the_same_alone_and_among_others(self) -> None:
        for table in self.tables:
            learner = self.fitted(table)
            np.testing.assert_allclose(
                learner.predict(table.valid[:3]), learner.predict(table.valid)[:3], rtol=1e-5, atol=1e-6
            )

    def test_a_fitted_model_survives_pickling(self) -> None:
        for table in self.tables:
            learner = self.fitted(table)
            copy = pickle.loads(pickle.dumps(learner))
            np.testing.assert_array_equal(copy.predict(table.valid), learner.predict(table.valid))

    def test_matrices_may_be_read_only_and_are_left_as_they_are(self) -> None:
        table = self.tables[0]
        train, valid = table.train.copy(), table.valid.copy()
        train.flags.writeable = valid.flags.writeable = False  # as memory maps are
        self.learner(table).fit(train, table.y_train, categorical=table.categorical)
        writable = table.train.copy(), table.valid.copy()
        learner = self.learner(table)
        learner.fit(writable[0], table.y_train, categorical=table.categorical, valid=writable[1])
        learner.predict(writable[1])
        np.testing.assert_array_equal(writable[0], table.train)
        np.testing.assert_array_equal(writable[1], table.valid)

    def test_classes_that_the_training_rows_lack_get_probability_0(self) -> None:
        table = self.tables[-1]
        if table.n_classes is None:
            pytest.skip("regression has no classes")
        rows = table.y_train != 1
        learner = self.learner(table)
        learner.fit(table.train[rows], table.y_train[rows], categorical=table.categorical)
        predicted = learner.predict(table.valid)
        self.assert_predictions(table, predicted)
        assert (predicted[:, 1] == 0).all()

    def test_weights_are_heeded_unless_it_cannot_weigh(self) -> None:
        table = self.tables[0]
        weight = np.where(np.arange(len(table.train)) % 2, 5.0, 0.2)
        learner = self.learner(table)
        learner.fit(table.train, table.y_train, weight=weight, categorical=table.categorical)
        predicted = learner.predict(table.valid)
        self.assert_predictions(table, predicted)
        heeded = not np.array_equal(predicted, self.fitted(table).predict(table.valid))
        assert heeded == self.weighs

    def test_it_uses_as_many_threads_as_it_is_given(self) -> None:
        table = self.tables[0]
        learner = self.learner(table, threads=2)
        learner.fit(table.train, table.y_train, categorical=table.categorical)
        given = learner.model.get_params() if hasattr(learner.model, "get_params") else {}
        for name in _THREADS:
            if name in given and type(learner.model).__name__ not in learner.unthreaded:
                assert given[name] == 2

    # --- rounds

    def test_a_fit_that_is_watched_gives_the_same_model(self) -> None:
        table, watching = self.tables[-1], _Progress()
        learner = self.learner(table)
        learner.fit(table.train, table.y_train, categorical=table.categorical, valid=table.valid, progress=watching)
        np.testing.assert_array_equal(learner.predict(table.valid), self.fitted(table).predict(table.valid))
        assert (watching.asked > 0) == self.rounds
        assert bool(watching.seen) == learner.reports
        fractions = [fraction for fraction, _ in watching.seen]
        assert fractions == sorted(fractions)
        assert all(0 < fraction < 1 for fraction in fractions)
        for _, predicted in watching.seen:
            self.assert_predictions(table, predicted)
        pickle.dumps(learner)  # it holds nothing of what watched it

    def test_a_fit_ends_when_it_is_told_to(self) -> None:
        if not self.rounds:
            pytest.skip("its fit does not go in rounds")
        table, stopping = self.tables[-1], _Progress(stop=3)
        learner = self.learner(table)
        learner.fit(table.train, table.y_train, categorical=table.categorical, valid=table.valid, progress=stopping)
        assert stopping.asked == 3
        predicted = learner.predict(table.valid)
        self.assert_predictions(table, predicted)
        assert not np.array_equal(predicted, self.fitted(table).predict(table.valid))

    # --- what the tests share

    @property
    def space(self) -> AlgorithmSpace:
        return self.entry if isinstance(self.entry, AlgorithmSpace) else AlgorithmSpace.model_validate(self.entry)

    @property
    def tables(self) -> tuple[SmallTable, ...]:
        """Small tables as this algorithm's view of them; the last is the hardest."""
        return small_tables(self.task, self.space.view)

    def learner(self, table: SmallTable, *, threads: int = 1, **params: Any) -> Learner:
        """The unfitted model with a configuration."""
        chosen = self.space.complete({**self.params, **params})
        return make_learner(
            self.space, chosen, task=self.task, seed=11, threads=threads, trust=self.trust, n_classes=table.n_classes
        )

    def fit(self, table: SmallTable, **params: Any) -> Learner:
        learner = self.learner(table, **params)
        learner.fit(table.train, table.y_train, categorical=table.categorical)
        return learner

    def fitted(self, table: SmallTable) -> Learner:
        """A model that several tests look at and none changes."""
        key = f"{type(self).__qualname__} {self.space.model_dump_json()} {table.name}"
        if key not in self._fitted:
            self._fitted[key] = self.fit(table)
        return self._fitted[key]

    def assert_predictions(self, table: SmallTable, predicted: np.ndarray) -> None:
        """Probabilities or values of all rows in `table.valid`."""
        assert predicted.dtype == np.float64
        assert np.isfinite(predicted).all()
        if table.n_classes is None:
            assert predicted.shape == (len(table.valid),)
            return
        assert predicted.shape == (len(table.valid), table.n_classes)
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

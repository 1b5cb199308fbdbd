from __future__ import annotations

import importlib.util
import logging
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification, make_regression
from sklearn.metrics import log_loss

from automl.engine.space.load import load_space
from automl.engine.space.space import AlgorithmSpace
from automl.errors import SpaceError, TrustError
from automl.learning.algorithms.adapters.sklearn import _say_unweighted
from automl.learning.algorithms.base import Learner, LearnerError
from automl.learning.algorithms.estimators import make_learner
from automl.learning.algorithms.trust import resolve_estimator

HAS = {name: importlib.util.find_spec(name) is not None for name in ("xgboost", "catboost")}


def _booster(path: str, **fixed: Any) -> Any:
    package = path.split(".")[0]
    skip = pytest.mark.skipif(not HAS.get(package, True), reason=f"{package} is an extra")
    return pytest.param(path, fixed, marks=skip, id=package if "Hist" not in path else "hist")


BOOSTED_CLASSIFIERS = [
    _booster("lightgbm.LGBMClassifier", n_estimators=40),
    _booster("xgboost.XGBClassifier", n_estimators=40),
    _booster("catboost.CatBoostClassifier", iterations=40),
    _booster("sklearn.ensemble.HistGradientBoostingClassifier", max_iter=40),
]
BOOSTED_REGRESSORS = [
    _booster("lightgbm.LGBMRegressor", n_estimators=40),
    _booster("xgboost.XGBRegressor", n_estimators=40),
    _booster("catboost.CatBoostRegressor", iterations=40),
    _booster("sklearn.ensemble.HistGradientBoostingRegressor", max_iter=40),
]
WITH_ROUNDS = [p for p in BOOSTED_CLASSIFIERS if p.id != "hist"]


def learner(path: str, n_classes: int | None, *, seed: int = 0, view: str = "native", **params: Any) -> Learner:
    space = AlgorithmSpace(estimator=path, view=view)
    task = "regression" if n_classes is None else "classification"
    return make_learner(space, params, task=task, seed=seed, threads=1, n_classes=n_classes)


@pytest.fixture(scope="module")
def three_classes() -> tuple[np.ndarray, np.ndarray]:
    X, y = make_classification(400, 8, n_informative=5, n_classes=3, random_state=0)
    return X, y


@pytest.fixture(scope="module")
def with_categories() -> tuple[np.ndarray, np.ndarray]:
    """float32, 600 rows: a code 0..19 whose parity is the class, noise, and gaps in both."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 20, 600)
    X = np.column_stack([rng.normal(size=600), codes]).astype(np.float32)
    X[::17, 0] = np.nan
    X[::23, 1] = np.nan
    return X, codes % 2


class Recorder:
    """A Progress that keeps what it is told, and stops after some rounds."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.wanted = True
        self.rounds = 0
        self.reports: list[tuple[float, np.ndarray]] = []
        self._stop_after = stop_after

    def should_stop(self) -> bool:
        self.rounds += 1
        return self._stop_after is not None and self.rounds >= self._stop_after

    def report(self, fraction: float, predict: Callable[[], np.ndarray]) -> None:
        self.reports.append((fraction, predict()))


@pytest.mark.parametrize(("path", "fixed"), BOOSTED_CLASSIFIERS)
def test_boosters_learn_from_categories_with_gaps(path: str, fixed: dict[str, Any], with_categories: Any) -> None:
    X, y = with_categories
    model = learner(path, 2, **fixed)
    X.flags.writeable = False  # as a memory map is
    model.fit(X[:400], y[:400], categorical=[1])
    probabilities = model.predict(X[400:])
    known = ~np.isnan(X[400:, 1])
    assert np.mean(probabilities.argmax(axis=1)[known] == y[400:][known]) > 0.95
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X[400:]), probabilities)


@pytest.mark.parametrize(("path", "fixed"), BOOSTED_REGRESSORS)
def test_boosters_predict_values(path: str, fixed: dict[str, Any], with_categories: Any) -> None:
    X, odd = with_categories
    y = 1000.0 + 50.0 * odd
    model = learner(path, None, **fixed)
    model.fit(X, y, categorical=[1])
    known = ~np.isnan(X[:, 1])
    assert np.abs(model.predict(X) - y)[known].mean() < 10


@pytest.mark.parametrize(("path", "fixed"), BOOSTED_CLASSIFIERS)
def test_the_same_seed_gives_the_same_bits(path: str, fixed: dict[str, Any], three_classes: Any) -> None:
    X, y = three_classes

    def predict(seed: int) -> np.ndarray:
        sampling = {"subsample": 0.5} if "Hist" not in path else {"max_features": 0.5}
        if "lightgbm" in path:
            sampling["subsample_freq"] = 1
        if "catboost" in path:
            sampling["bootstrap_type"] = "Bernoulli"
        model = learner(path, 3, seed=seed, **fixed, **sampling)
        model.fit(X, y)
        return model.predict(X)

    np.testing.assert_array_equal(predict(1), predict(1))
    assert not np.array_equal(predict(1), predict(2))


@pytest.mark.parametrize(("path", "fixed"), WITH_ROUNDS)
def test_rounds_report_and_can_be_stopped(path: str, fixed: dict[str, Any], three_classes: Any) -> None:
    X, y = three_classes
    whole, part = learner(path, 3, **fixed), learner(path, 3, **fixed)
    silent = learner(path, 3, **fixed)
    recorder = Recorder()
    whole.fit(X[:300], y[:300], valid=X[300:], progress=recorder)
    silent.fit(X[:300], y[:300])
    np.testing.assert_array_equal(whole.predict(X), silent.predict(X))  # watching changes nothing
    if "catboost" not in path:  # which cannot predict before it is done
        assert [fraction for fraction, _ in recorder.reports] == pytest.approx([i / 10 for i in range(1, 10)])
        assert all(predictions.shape == (100, 3) for _, predictions in recorder.reports)
        last = recorder.reports[-1][1]
        assert np.abs(last - whole.predict(X[300:])).max() < np.abs(last - 1 / 3).max()  # nearly done, not at the start
    part.fit(X[:300], y[:300], valid=X[300:], progress=Recorder(stop_after=5))
    stopped = learner(path, 3, **dict.fromkeys(fixed, 5))
    stopped.fit(X[:300], y[:300])
    if "catboost" not in path:  # whose learning rate follows from the number of rounds
        np.testing.assert_allclose(part.predict(X), stopped.predict(X), rtol=1e-5)
    assert not np.allclose(part.predict(X), whole.predict(X))


def test_histogram_boosting_joins_categories_beyond_its_limit() -> None:
    codes = np.repeat(np.arange(600, dtype=np.float32), 3)
    X, y = codes[:, None], (codes % 2).astype(int)
    model = learner("sklearn.ensemble.HistGradientBoostingClassifier", 2, max_iter=3)
    model.fit(X, y, categorical=[0])
    np.testing.assert_array_equal(model.predict(X[codes == 254]), model.predict(X[codes == 599])[:3])
    assert X.max() == 599  # what came in is left as it was


WITHOUT_PROBABILITIES = [
    "sklearn.svm.LinearSVC",
    "sklearn.svm.SVC",
    "sklearn.linear_model.SGDClassifier",
    "sklearn.linear_model.RidgeClassifier",
]


@pytest.mark.parametrize("path", WITHOUT_PROBABILITIES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_become_probabilities_as_good_as_scikit_learns(path: str, n_classes: int) -> None:
    X, y = make_classification(3000, 6, n_informative=4, n_classes=n_classes, flip_y=0.2, random_state=3)
    train, test = slice(0, 600), slice(600, None)
    model = learner(path, n_classes, view="numeric")
    model.fit(X[train], y[train])
    reference = CalibratedClassifierCV(resolve_estimator(path, trust=False)(), cv=3, ensemble=False)
    reference.fit(X[train], y[train])
    p = model.predict(X[test])
    np.testing.assert_allclose(p.sum(axis=1), 1)
    # 5% for SGD, whose scores differ from fit to fit; the others are within 1%.
    assert log_loss(y[test], p) < 1.05 * log_loss(y[test], reference.predict_proba(X[test]))


@pytest.mark.parametrize("members", [1, 2])
def test_calibration_works_with_classes_of_one_or_two_rows(members: int) -> None:
    rng = np.random.default_rng(0)
    y = np.array([0] * 20 + [1] * 20 + [2] * members)
    X = rng.normal(size=(len(y), 3)) + y[:, None]
    model = learner("sklearn.svm.LinearSVC", 3, view="numeric")
    model.fit(X, y)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("path", ["sklearn.neighbors.KNeighborsClassifier", "sklearn.neighbors.KNeighborsRegressor"])
@pytest.mark.parametrize("params", [{"n_neighbors": 50}, {}], ids=["asked for", "by default"])
def test_there_are_no_more_neighbours_than_rows(path: str, params: dict[str, Any]) -> None:
    model = learner(path, 2 if "Classifier" in path else None, view="numeric", **params)
    model.fit(np.arange(4.0)[:, None], np.array([0, 0, 1, 1]))
    assert np.isfinite(model.predict(np.array([[1.5], [9.0]]))).all()


def test_the_shipped_qda_learns_classes_of_fewer_rows_than_columns() -> None:
    space = load_space(None, task="classification").algorithms["qda"]
    lowest = {"shrinkage": space.distributions("")["shrinkage"].low}  # type: ignore[attr-defined]
    X, y = make_classification(60, 20, n_informative=8, weights=[0.8], random_state=0)
    X[:, 3] = X[:, 4]
    X[y == 0, 5] = 0.0  # constant within a class, as rare one-hot columns are
    for params in (space.complete({}), lowest):
        model = make_learner(space, params, task="classification", seed=0, threads=1, n_classes=2)
        model.fit(X, y)
        assert np.isfinite(model.predict(X)).all()


def test_calibration_of_separable_classes_stays_finite() -> None:
    X = np.linspace(-1, 1, 40)[:, None]
    model = learner("sklearn.svm.LinearSVC", 2, view="numeric")
    model.fit(X, (X[:, 0] > 0).astype(int))
    p = model.predict(X)[:, 1]
    assert p[0] < 0.1
    assert p[-1] > 0.9
    assert (np.diff(p) >= 0).all()


def test_regressors_on_the_numeric_view_do_not_mind_the_unit() -> None:
    X, y = make_regression(200, 5, noise=1.0, random_state=0)
    small, large = (learner("sklearn.svm.SVR", None, view="numeric") for _ in range(2))
    small.fit(X, y)
    large.fit(X, 1e6 * y + 1e9)
    gap = large.predict(X) - (1e6 * small.predict(X) + 1e9)
    assert np.abs(gap).max() < 1e-2 * 1e6 * y.std()  # LIBSVM stops at a tolerance of 1e-3


@pytest.mark.parametrize(
    ("path", "params"),
    [("sklearn.linear_model.GammaRegressor", {}), ("sklearn.linear_model.TweedieRegressor", {"power": 1.5})],
)
def test_models_of_positive_targets_see_them_as_they_are(path: str, params: dict[str, Any]) -> None:
    X, _ = make_regression(200, 3, random_state=0)
    model = learner(path, None, view="numeric", **params)
    model.fit(X, np.exp(X[:, 0]))
    assert (model.predict(X) > 0).all()


def test_weights_count_as_repeated_rows() -> None:
    X, y = make_classification(150, 4, random_state=1)
    weight = np.random.default_rng(0).integers(1, 4, 150)
    weighted, repeated = (
        learner("sklearn.linear_model.LogisticRegression", 2, view="numeric", C=1.0, tol=1e-8) for _ in range(2)
    )
    weighted.fit(X, y, weight=weight.astype(float))
    repeated.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-4)


def test_an_estimator_that_cannot_weigh_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    X, y = make_classification(60, 4, random_state=1)
    _say_unweighted.cache_clear()  # another test may have had it said
    with caplog.at_level(logging.WARNING, logger="automl"):
        for _ in range(2):
            learner("sklearn.neighbors.KNeighborsClassifier", 2).fit(X, y, weight=np.ones(60))
    assert [record.getMessage().split()[0] for record in caplog.records] == ["KNeighborsClassifier"]


def test_threads_and_seeds_reach_the_estimator() -> None:
    space = AlgorithmSpace(estimator="sklearn.ensemble.ExtraTreesClassifier", fixed={"n_jobs": 8})
    X, y = make_classification(60, 4, random_state=1)
    model = make_learner(space, {"n_estimators": 5}, task="classification", seed=11, threads=2, n_classes=2)
    model.fit(X, y)
    assert model.model.n_jobs == 2
    assert model.model.random_state == 11
    assert model.model.n_estimators == 5


def test_a_seed_in_the_space_is_kept() -> None:
    X, y = make_classification(60, 4, random_state=1)
    model = learner("sklearn.tree.DecisionTreeClassifier", 2, random_state=5)
    model.fit(X, y)
    assert model.model.random_state == 5


def test_an_estimator_of_a_subclass_keeps_its_librarys_adapter() -> None:
    from lightgbm import LGBMClassifier

    from automl.learning.algorithms.adapters.lightgbm import LightGBMLearner
    from automl.learning.algorithms.libraries import adapter_of

    assert adapter_of(type("Mine", (LGBMClassifier,), {"__module__": "mine"}))(LGBMClassifier) is LightGBMLearner


def test_one_class_in_the_training_rows_is_an_error() -> None:
    with pytest.raises(LearnerError, match="single class"):
        learner("sklearn.tree.DecisionTreeClassifier", 2).fit(np.ones((5, 2)), np.zeros(5, int))


def test_no_columns_are_an_error() -> None:
    with pytest.raises(LearnerError, match="No column is left"):
        learner("sklearn.tree.DecisionTreeClassifier", 2).fit(np.empty((4, 0)), np.array([0, 1, 0, 1]))


def test_predictions_that_are_no_numbers_are_an_error() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    model = learner("sklearn.tree.DecisionTreeRegressor", None)
    model.fit(X, y)
    model._spread = np.inf  # type: ignore[attr-defined]
    with pytest.raises(LearnerError, match="DecisionTreeRegressor predicts values that are not finite"):
        model.predict(X)


def test_an_unknown_parameter_names_the_nearest() -> None:
    with pytest.raises(SpaceError, match="LogisticRegression has no parameter 'max_iters'; did you mean 'max_iter'"):
        learner("sklearn.linear_model.LogisticRegression", 2, max_iters=3).fit(np.eye(4), np.array([0, 1, 0, 1]))


@pytest.mark.parametrize(
    ("path", "fixed"),
    [
        _booster("lightgbm.LGBMClassifier", wrong="num_leafs", meant="num_leaves", others=("eta", "cat_smooth")),
        _booster("xgboost.XGBClassifier", wrong="max_dept", meant="max_depth", others=("eta", "rate_drop", "alpha")),
        _booster("xgboost.XGBRegressor", wrong="num_paralel_tree", meant="num_parallel_tree", others=("lambda", "eta")),
    ],
)
def test_a_booster_that_takes_any_name_is_not_given_any(path: str, fixed: dict[str, Any]) -> None:
    X, y = np.eye(8), np.arange(8) % 2
    with pytest.raises(SpaceError, match=f"has no parameter '{fixed['wrong']}'; did you mean '{fixed['meant']}'"):
        learner(path, 2, **{fixed["wrong"]: 3}).fit(X, y)
    n_classes = None if path.endswith("Regressor") else 2
    known = dict.fromkeys(fixed["others"], 0.5)
    learner(path, n_classes, n_estimators=2, n_jobs=1, **known).fit(X, y)


def test_an_estimator_outside_the_allowed_packages_needs_trust() -> None:
    with pytest.raises(TrustError):
        learner("collections.OrderedDict", 2)

"""scikit-learn, and everything that follows its conventions."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from automl.learning.algorithms.arguments import NUMBER, Argument
from automl.learning.algorithms.base import Learner, TrainingData
from automl.learning.algorithms.progress import Progress

__all__ = [
    "ESTIMATORS", "HistGradientBoostingLearner", "NeighborsLearner", "SklearnLearner", "arguments", "learner_class",
]  # fmt: skip

logger = logging.getLogger("automl")

_NESTED = ("array-like", list, tuple, dict, np.ndarray)
_POSITIVE_LOSSES = frozenset({"poisson", "gamma", "tweedie"})

_LINEAR = (
    "ARDRegression BayesianRidge ElasticNet ElasticNetCV GammaRegressor HuberRegressor Lars LarsCV Lasso LassoCV "
    "LassoLars LassoLarsCV LassoLarsIC LinearRegression LogisticRegression LogisticRegressionCV "
    "OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV PassiveAggressiveClassifier PassiveAggressiveRegressor "
    "Perceptron PoissonRegressor QuantileRegressor Ridge RidgeCV RidgeClassifier RidgeClassifierCV SGDClassifier "
    "SGDRegressor TheilSenRegressor TweedieRegressor"
)
_ENSEMBLES = (
    "AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor ExtraTreesClassifier ExtraTreesRegressor "
    "GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier "
    "HistGradientBoostingRegressor RandomForestClassifier RandomForestRegressor"
)
_NEIGHBORS = (
    "KNeighborsClassifier KNeighborsRegressor NearestCentroid RadiusNeighborsClassifier RadiusNeighborsRegressor"
)
_TREES = "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor"
ESTIMATORS = {
    "automl.learning.algorithms.ridge": ("KernelRidgeProbabilities", "RidgeProbabilities"),
    "sklearn.cross_decomposition": ("PLSRegression",),
    "sklearn.discriminant_analysis": ("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"),
    "sklearn.dummy": ("DummyClassifier", "DummyRegressor"),
    "sklearn.ensemble": tuple(_ENSEMBLES.split()),
    "sklearn.gaussian_process": ("GaussianProcessClassifier", "GaussianProcessRegressor"),
    "sklearn.isotonic": ("IsotonicRegression",),
    "sklearn.kernel_ridge": ("KernelRidge",),
    "sklearn.linear_model": tuple(_LINEAR.split()),
    "sklearn.naive_bayes": ("BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB"),
    "sklearn.neighbors": tuple(_NEIGHBORS.split()),
    "sklearn.neural_network": ("MLPClassifier", "MLPRegressor"),
    "sklearn.semi_supervised": ("LabelPropagation", "LabelSpreading"),
    "sklearn.svm": ("LinearSVC", "LinearSVR", "NuSVC", "NuSVR", "SVC", "SVR"),
    "sklearn.tree": tuple(_TREES.split()),
}
"""Those that learn by themselves. What wraps other estimators, searches over them, or transforms is not among them."""


@cache
def arguments(estimator: str) -> dict[str, Argument]:
    """Those of its constructor that take numbers, or texts that scikit-learn itself lists."""
    module, _, name = estimator.rpartition(".")
    found = getattr(import_module(module), name)
    declared = getattr(found, "_parameter_constraints", {})
    given = {name: declared.get(name, ()) for name in inspect.signature(found).parameters}
    judged = {name: NUMBER if name not in declared else _argument(allowed) for name, allowed in given.items()}
    return {name: argument for name, argument in judged.items() if argument is not None}


def _argument(constraints: Iterable[Any]) -> Argument | None:
    """Return what a file may give under these constraints of scikit-learn's; None for what takes other estimators.

    Any text, as of a cache's folder, and anything that can be called, is excluded.
    """
    from sklearn.utils._param_validation import HasMethods, StrOptions, make_constraint

    if isinstance(constraints, str):  # what is not validated
        return NUMBER
    if any(isinstance(one, HasMethods) for one in constraints):
        return None
    texts = {word for one in map(make_constraint, constraints) if isinstance(one, StrOptions) for word in one.options}
    nested = any(one in _NESTED for one in constraints if isinstance(one, str | type))
    return Argument(frozenset(texts), nested=nested)


def learner_class(estimator: type) -> type[Learner]:
    if estimator.__name__.startswith("HistGradientBoosting"):
        return HistGradientBoostingLearner
    if any(parent.__name__ == "KNeighborsMixin" for parent in estimator.__mro__):
        return NeighborsLearner
    return SklearnLearner


class SklearnLearner(Learner):
    """Any estimator with fit and predict.

    A classifier without `predict_proba` is calibrated. A regressor on the numeric view is fitted to the standardised
    target: penalties, tolerances and step sizes then mean the same whatever the target's unit.
    """

    unthreaded = frozenset({"LogisticRegression"})

    _centre = 0.0
    _spread = 1.0
    _calibration: Any = None

    def _fit(self, data: TrainingData, progress: Progress | None) -> None:
        X, y = data.X, data.y
        if not X.flags.writeable and not getattr(self.estimator, "reads_in_place", False):
            X = X.copy()  # some estimators refuse read-only buffers
        model = self._estimator(data.categorical)
        if self.n_classes is None and self.view == "numeric" and not self._needs_positive(model):
            self._centre, self._spread = float(np.mean(y)), float(np.std(y)) or 1.0
            y = (y - self._centre) / self._spread
        weights = self._usable(data.weight)
        self.model = model.fit(X, y, **weights)
        if self.n_classes is not None and not hasattr(self.model, "predict_proba"):
            from automl.learning.algorithms.calibration import calibrate

            self._calibration = calibrate(lambda: self._estimator(data.categorical), X, y, weights, self.seed)

    def _predict(self, X: np.ndarray) -> np.ndarray:
        if self._calibration is not None:
            return np.asarray(self._calibration.probabilities(self.model, X))
        if self.n_classes is not None:
            return np.asarray(self.model.predict_proba(X))
        return np.asarray(self.model.predict(X), dtype=np.float64).reshape(len(X)) * self._spread + self._centre

    def _estimator(self, categorical: list[int]) -> Any:
        return self._make()

    def _needs_positive(self, model: Any) -> bool:
        """True if the model is defined for positive targets only, which standardising would destroy."""
        if _POSITIVE_LOSSES & {value for value in self.params.values() if isinstance(value, str)}:
            return True
        tags = getattr(model, "__sklearn_tags__", None)
        return tags is not None and bool(tags().target_tags.positive_only)

    def _usable(self, weight: np.ndarray | None) -> dict[str, np.ndarray]:
        if weight is None:
            return {}
        if "sample_weight" in inspect.signature(self.estimator.fit).parameters:  # type: ignore[attr-defined]
            return {"sample_weight": weight}
        _say_unweighted(self.estimator.__name__)
        return {}


class NeighborsLearner(SklearnLearner):
    """Nearest neighbours, of which there are no more than training rows: asked for more, all of them are taken."""

    def _fit(self, data: TrainingData, progress: Progress | None) -> None:
        self.params["n_neighbors"] = min(self._make().n_neighbors, len(data.X))
        super()._fit(data, progress)


class HistGradientBoostingLearner(SklearnLearner):
    """Histogram gradient boosting, which takes at most `max_bins` categories: rarer ones are joined."""

    _last_code: int = 254

    def _estimator(self, categorical: list[int]) -> Any:
        model = self._make(categorical_features=categorical or None)
        self._last_code = int(model.get_params()["max_bins"]) - 1
        return model

    def _fit(self, data: TrainingData, progress: Progress | None) -> None:
        self._categorical = data.categorical
        self._estimator(data.categorical)  # learns the limit
        super()._fit(replace(data, X=self._joined(data.X)), progress)

    def _predict(self, X: np.ndarray) -> np.ndarray:
        return super()._predict(self._joined(X))

    def _joined(self, X: np.ndarray) -> np.ndarray:
        """Codes fall in frequency, so the last one allowed stands for all rarer ones. NaN stays NaN."""
        crowded = [i for i in self._categorical if np.nanmax(X[:, i], initial=0.0) > self._last_code]
        if crowded:
            X = X.copy()
            X[:, crowded] = np.minimum(X[:, crowded], self._last_code)
        return X


@cache
def _say_unweighted(estimator: str) -> None:
    logger.warning("%s cannot weight rows: it is trained without the weights, and scored with them.", estimator)

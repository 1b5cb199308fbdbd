"""A learner: one estimator behind one face, whatever its library."""

from __future__ import annotations

import difflib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from automl.errors import AutomlError, SpaceError
from automl.learning.algorithms.arguments import Argument
from automl.learning.algorithms.progress import Progress

__all__ = ["Learner", "LearnerError", "TrainingData"]


class LearnerError(AutomlError):
    """A model cannot be trained on these rows, or gives predictions that are not numbers."""

    exit_code = 1


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The rows that a learner is fitted on, as its view has made them: see `Learner.fit`."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    categorical: list[int]
    valid: np.ndarray | None


class Learner(ABC):
    """An estimator with its hyperparameters: fitted once, then it predicts.

    Classes are codes 0..n_classes-1 outside. Inside, a library sees codes 0..k-1 of the classes that the training rows
    hold; those that they lack get probability 0.

    Args:
        estimator: the class to make.
        params: arguments of its constructor.
        n_classes: number of classes, None for regression.
        seed: for everything in the model that draws random numbers.
        threads: number of threads that the library may use.
        view: the view of the data that the matrices are of.

    Attributes:
        model: the fitted estimator.

    Example:
        >>> from sklearn.naive_bayes import GaussianNB
        >>> class Simple(Learner):
        ...     def _fit(self, data, progress):
        ...         self.model = self._make().fit(data.X, data.y, data.weight)
        ...
        ...     def _predict(self, X):
        ...         return self.model.predict_proba(X)
        >>> learner = Simple(GaussianNB, {}, n_classes=2, seed=0, threads=1)
        >>> learner.fit(np.array([[0.0], [0.1], [0.9], [1.0]]), np.array([0, 0, 1, 1]))
        >>> learner.predict(np.array([[0.05]])).round(3)
        array([[1., 0.]])
    """

    model: Any
    unthreaded: ClassVar[frozenset[str]] = frozenset()
    """Names of estimators whose ``n_jobs`` does nothing, and warns that it does."""
    reports: ClassVar[bool] = False
    """True if a fit can tell `Progress` how good the model is before it is over."""
    timed: bool = False
    """Set by a fit whose length, or schedule, was decided by the clock: the same one again gives another model."""

    def __init__(
        self,
        estimator: type,
        params: Mapping[str, Any],
        *,
        n_classes: int | None,
        seed: int,
        threads: int,
        view: str = "numeric",
    ) -> None:
        self.estimator = estimator
        self.params = dict(params)
        self.n_classes = n_classes
        self.seed = seed
        self.threads = threads
        self.view = view
        self._present: np.ndarray | None = None

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        *,
        weight: np.ndarray | None = None,
        categorical: Sequence[int] = (),
        valid: np.ndarray | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Train on `X` and `y`.

        Args:
            X: float matrix, shape (n, d), or pictures, uint8 (n, height, width, channels); may be read-only.
            y: class codes or values, shape (n,).
            weight: of each row, shape (n,).
            categorical: columns of `X` that hold codes of categories.
            valid: matrix of the validation rows. Only `progress` sees predictions for them; no model sees their target.
            progress: told how far the fit is, and asked whether to continue.

        Raises:
            LearnerError: the rows hold a single class, or `X` has no columns.
            SpaceError: the constructor does not take the parameters.
        """
        if X.shape[1] == 0:
            raise LearnerError("No column is left to learn from: all are constant, identifiers or of no usable kind.")
        if self.n_classes is not None:
            self._present, y = np.unique(y, return_inverse=True)
            if len(self._present) < 2:
                raise LearnerError("A fold's training rows hold a single class: choose another validation strategy.")
        self._fit(TrainingData(np.asarray(X), y, weight, list(categorical), valid), progress)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Probabilities, float64 (n, n_classes), rows summing to 1; or values, float64 (n,).

        Raises:
            LearnerError: a prediction is NaN or infinite.
        """
        return self._outside(self._predict(np.asarray(X)))

    @abstractmethod
    def _fit(self, data: TrainingData, progress: Progress | None) -> None:
        """Set `model`. Codes in ``data.y`` have no gaps."""

    @abstractmethod
    def _predict(self, X: np.ndarray) -> np.ndarray:
        """Predict with the library: probabilities (n, k), of the second class alone (n,) if k is 2, or values (n,)."""

    def _outside(self, raw: np.ndarray) -> np.ndarray:
        """A library's predictions in the form that `predict` promises."""
        raw = np.asarray(raw, dtype=np.float64)
        if not np.isfinite(raw).all():
            raise LearnerError(f"{self.estimator.__name__} predicts values that are not finite.")
        if self.n_classes is None:
            return raw.reshape(len(raw))
        assert self._present is not None
        if raw.ndim == 1 or raw.shape[1] == 1:
            raw = np.column_stack([1.0 - raw.ravel(), raw.ravel()])
        total = raw.sum(axis=1, keepdims=True)
        result = np.zeros((len(raw), self.n_classes))
        with np.errstate(invalid="ignore", divide="ignore"):
            result[:, self._present] = np.where(total > 0, raw / total, 1.0 / raw.shape[1])
        return result

    @classmethod
    def arguments(cls, estimator: type) -> Mapping[str, Argument] | None:
        """Return what an experiment file may set of `estimator`, and to what; None for any argument, to plain values.

        Plugins override it. Of the estimators that automl knows itself the adapter says so, without importing them.
        """
        return None

    def check_names(self) -> None:
        """Refuse parameters that the estimator does not have.

        Raises:
            SpaceError: one of them, and the nearest that there is.
        """
        if not _named(self.estimator).issuperset(self.params) and (further := self._further_names()) is not None:
            _check_names(self.estimator, self.params, further)

    def _further_names(self) -> frozenset[str] | None:
        """Return the names that the constructor takes by ``**kwargs``; None if it takes some that are unknown."""
        return None if _takes_others(self.estimator) else frozenset()

    def _make(self, **settings: Any) -> Any:
        """The unfitted estimator, its seeds and threads set wherever its constructor has them.

        What the search space says wins over `settings`, except the number of threads.
        """
        try:
            model = self.estimator(**{**settings, **self.params})
        except TypeError as error:
            raise SpaceError(f"{self.estimator.__name__} cannot be made with these parameters: {error}.") from error
        chosen: dict[str, Any] = {}
        for name, value in model.get_params(deep=True).items():
            outer, _, leaf = name.rpartition("__")
            if leaf == "n_jobs" and self.estimator.__name__ not in self.unthreaded:
                chosen[name] = 1 if outer else self.threads
            elif leaf == "random_state" and value is None:
                chosen[name] = self.seed
        return model.set_params(**chosen) if chosen else model


def _check_names(estimator: type, params: Iterable[str], further: Collection[str]) -> None:
    """Refuse what is neither a parameter of the constructor nor among `further`."""
    named = _named(estimator)
    for name in params:
        if name not in named and name not in further:
            near = difflib.get_close_matches(name, named, n=1) or difflib.get_close_matches(name, further, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise SpaceError(f"{estimator.__name__} has no parameter {name!r}{hint}")


@cache
def _named(estimator: type) -> frozenset[str]:
    """The parameters that a constructor names, and its parents' where it hands on what it does not name."""
    parameters = [parameter for constructor in _constructors(estimator) for parameter in constructor]
    return frozenset(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


def _takes_others(estimator: type) -> bool:
    """Tell whether no constructor says what becomes of parameters that none names."""
    return all(any(p.kind is p.VAR_KEYWORD for p in constructor) for constructor in _constructors(estimator))


def _constructors(estimator: type) -> Iterator[tuple[inspect.Parameter, ...]]:
    """The parameters of a constructor, and of its parents' as far as each hands on what it does not name."""
    for kind in estimator.__mro__:
        if kind is not object and "__init__" in vars(kind):
            parameters = tuple(inspect.signature(kind).parameters.values())
            yield parameters
            if all(p.kind is not p.VAR_KEYWORD for p in parameters):
                break

"""`AutoMLClassifier` and `AutoMLRegressor`: the scikit-learn face of the same search."""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import BaseModel
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from automl.engine.execution.jobs import local_executor, workers_of
from automl.errors import ConfigError, DataError, NoModelError
from automl.learning.data.frames import has_own_names
from automl.learning.data.names import as_names, unique_names
from automl.learning.data.samples import as_features, counted_samples

if TYPE_CHECKING:
    import pandas as pd

    from automl.engine.execution.options import ComputeOptions
    from automl.engine.search.options import LimitsOptions, SearchOptions
    from automl.learning.data.options import DataOptions
    from automl.learning.features.options import FeatureOptions
    from automl.learning.validation.options import ValidationOptions
    from automl.registry.options import RegistryOptions
    from automl.tracking.options import TrackingOptions

__all__ = ["AutoMLClassifier", "AutoMLRegressor"]

_GROUPS = ("data", "validation", "limits", "search", "features", "compute", "registry", "tracking")
"""Arguments of the constructor that are groups of an experiment file."""
_GIVEN_BY_FIT = ("source", "target", "weight")
"""Keys of the group ``data`` that the arguments of `fit` speak for."""
_ARGUMENTS = {
    "experiment": "name",
    "limits.max_trials": "max_trials",
    "limits.time_budget": "time_budget",
    "seed": "random_state",
}
"""Arguments by the keys of an experiment file that they stand for."""


class _AutoML(BaseEstimator):
    """The part that both estimators share. Constructors only store: `fit` checks."""

    _task = ""

    def __init__(
        self,
        *,
        metric: Any = None,
        time_budget: float | str | None = None,
        max_trials: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        data: DataOptions | Mapping[str, Any] | None = None,
        validation: ValidationOptions | Mapping[str, Any] | None = None,
        limits: LimitsOptions | Mapping[str, Any] | None = None,
        search: SearchOptions | Mapping[str, Any] | None = None,
        features: FeatureOptions | Mapping[str, Any] | None = None,
        compute: ComputeOptions | Mapping[str, Any] | None = None,
        registry: RegistryOptions | Mapping[str, Any] | Literal["auto"] | None = "auto",
        tracking: TrackingOptions | Mapping[str, Any] | Literal["auto"] | None = "auto",
        workspace: str | os.PathLike[str] | None = None,
        name: str | None = None,
        trust: bool = False,
    ) -> None:
        self.metric = metric
        self.time_budget = time_budget
        self.max_trials = max_trials
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.data = data
        self.validation = validation
        self.limits = limits
        self.search = search
        self.features = features
        self.compute = compute
        self.registry = registry
        self.tracking = tracking
        self.workspace = workspace
        self.name = name
        self.trust = trust

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Search for the best model of `y` given `X`.

        Args:
            X: raw columns, shape (n, d): a table, an array or a sparse matrix. Missing values and text are welcome.
            y: labels or values, shape (n,), none missing.
            sample_weight: how much each row counts, shape (n,), not negative. A row of weight 0 counts as omitted.

        Raises:
            ValueError: `X`, `y`, `sample_weight` or an argument of the constructor cannot be used.
            TypeError: some columns' names are text and others are not.
            NoModelError: no trial completed; carries the causes.
        """
        with _refused_as_value_errors():
            frame = self._table(X, y, reset=True)
            names, _ = unique_names(as_names(frame.columns))
            frame, target, weight = counted_samples(frame.set_axis(names, axis=1), y, sample_weight)
            groups = self._groups(frame.size)
            data = {**groups.pop("data"), "source": (frame, target)}
            if weight is not None:
                data["weight"] = weight
            self._search(data, groups)
        self._names = names
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predicted labels or values, shape (n,).

        Args:
            X: the columns of `fit`, in the same order. (`model_` takes them in any order, and ignores further ones.)

        Raises:
            NotFittedError: there is no model yet.
            ValueError: these are other columns, or there are no rows.
        """
        predicted: np.ndarray = self._ask("predict", X)
        return predicted

    def _ask(self, method: str, X: Any) -> Any:
        check_is_fitted(self, "model_")
        with _refused_as_value_errors():
            frame = self._table(X, reset=False)
            return getattr(self.model_, method)(frame.set_axis(self._names, axis=1))

    def _table(self, X: Any, y: Any = "no_validation", *, reset: bool) -> pd.DataFrame:
        """`X` as a frame whose width and names are recorded (`reset`), or have to be those of the fit."""
        frame = as_features(X)
        named = frame if has_own_names(X) else np.empty((0, len(frame.columns)))
        validate_data(self, named, y, reset=reset, skip_check_array=True)
        return frame

    # What is asked of the search

    def _groups(self, cells: int) -> dict[str, Any]:
        """The groups of the experiment; ``data`` and ``compute`` are among them in any case."""
        groups = {key: _options(key, getattr(self, key)) for key in _GROUPS}
        if self.name is None:
            groups |= {key: None for key in ("registry", "tracking") if groups[key] == "auto"}
        twice = [key for key in _GIVEN_BY_FIT if key in groups["data"]]
        if twice:
            raise ConfigError("this is decided by the arguments of fit.", key=f"data.{twice[0]}")
        groups["compute"] = self._compute(groups["compute"], groups["limits"], cells)
        return groups

    def _compute(self, compute: dict[str, Any], limits: dict[str, Any], cells: int) -> dict[str, Any]:
        """The group ``compute``, with an executor chosen as the class's documentation says."""
        workers = compute.get("max_workers", workers_of(self.n_jobs))
        if workers is not None:
            compute = {**compute, "max_workers": workers}
        if "executor" in compute or compute.get("address") is not None:
            return compute
        clocks = (self.time_budget, *(limits.get(key) for key in ("time_budget", "trial_timeout", "trial_memory")))
        trials = _plain(limits.get("max_trials") if self.max_trials is None else self.max_trials)
        timed = any(clock is not None for clock in clocks)
        return {**compute, "executor": local_executor(workers, trials=trials, cells=cells, timed=timed)}

    def _seed(self) -> int:
        if self.random_state is None:
            return 0
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    # The search

    def _search(self, data: dict[str, Any], groups: dict[str, Any]) -> None:
        recorded = any(groups.get(key, key) is not None for key in ("registry", "tracking"))
        with contextlib.ExitStack() as stack:
            if groups["compute"].get("executor") == "inline":
                stack.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")  # complaints of single models are in a worker's log otherwise
            if self.workspace is not None or self.name is not None or recorded:
                self._learn(data, groups, self.workspace)
                return
            place = tempfile.TemporaryDirectory(prefix="automl-", ignore_cleanup_errors=True)
            try:
                self._learn(data, groups, stack.enter_context(place))
            except NoModelError as error:
                hint = "Give a workspace to keep every trial's record and log."
                raise NoModelError(f"{error.message} {hint}", causes=error.causes, wants=error.wants) from None

    def _learn(self, data: dict[str, Any], groups: dict[str, Any], workspace: str | os.PathLike[str] | None) -> None:
        """Search, and keep what is needed once the workspace is gone."""
        from automl.api import fit

        result = fit(
            self._task,
            data,
            metric=_plain(self.metric),
            time_budget=_plain(self.time_budget),
            max_trials=_plain(self.max_trials),
            seed=self._seed(),
            name=_plain(self.name),
            trust=self.trust,
            progress=False,
            workspace=None if workspace is None else os.fspath(workspace),
            **groups,
        )
        self.model_ = result.model
        self.leaderboard_ = result.leaderboard()
        self.best_score_ = result.best.value
        self.best_params_ = result.best_params
        self.stopped_because_ = result.stopped_because

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        # What is tried next depends on what has finished, and with several at once that depends on the clock.
        tags.non_deterministic = self.n_jobs != 1 or self.time_budget is not None
        return tags


class AutoMLClassifier(ClassifierMixin, _AutoML):
    """A classifier that finds itself.

    It leaves nothing on disk and registers nothing, unless `workspace`, `name`, `registry` or `tracking` ask for that.

    Trials run in worker processes, which can be ended when their time is up. Where these would cost more than they
    bring, and nothing has to be ended in time, trials run in this process, one after the other: with ``n_jobs=1``, and
    with at most 5 trials on a table of at most 20,000 cells, as long as no `time_budget` and no limit of single trials
    is given and this is the main thread. ``compute={"executor": "process"}`` overrules that.

    Args:
        metric: what to optimise: a name, or a function ``(y_true, y_pred) -> float``; of several the first decides.
            None for roc_auc with two classes, log_loss with more, and rmse in regression.
        time_budget: seconds for everything, or a text such as "10m".
        max_trials: how many trials at most. Without any limit the search stops when nothing improves any longer.
        random_state: the seed of everything random: an integer, a NumPy RandomState to draw it from, or None for 0.
        n_jobs: trials at once; -1 for one per core. None is one per core, too, except inside a parallel loop of
            joblib's, such as ``cross_val_score(..., n_jobs=4)``, where the cores have been given away and it is 1.
        data: what else there is to say of the data, as in an experiment file: ``{"positive_label": "yes"}``. This and
            the groups that follow are options objects, or mappings of their keys.
        validation: how the data is split.
        limits: when the search ends, beside `time_budget` and `max_trials`, and what one trial and its model may cost.
        search: space, algorithms, sampler, pruner: ``{"algorithms": {"allow": ["lightgbm"]}}``.
        features: kinds of columns, columns to drop.
        compute: where trials run, and with how much of it.
        registry: how the model is registered; None: not at all; "auto": as `name`, if there is one.
        tracking: the MLflow store that runs are mirrored to; None: none; "auto": one in the workspace, if there is a
            `name`.
        workspace: a folder in which everything is kept.
        name: register the model under this name, in the registry of `workspace`; that is $AUTOML_HOME, or
            ``./automl_runs``, if none is given.
        trust: let a search space name any class, and set any argument of it.

    Attributes:
        model_: the best model, a fitted estimator in its own right.
        classes_: labels in sorted order, shape (n_classes,).
        leaderboard_: a DataFrame of all trials, best first.
        best_score_: the winner's cross-validated score, in the metric's own sign.
        best_params_: the winner's hyperparameters.
        stopped_because_: why the search ended.
        n_features_in_: number of columns.
        feature_names_in_: names of the columns, object (d,), if these are text.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> model = AutoMLClassifier(metric="accuracy", max_trials=1).fit(X, y)
        >>> model.predict_proba(X).shape, model.best_score_ > 0.9
        ((150, 3), True)
    """

    _task = "classification"

    @property
    def classes_(self) -> np.ndarray:
        """Labels in sorted order, shape (n_classes,)."""
        check_is_fitted(self, "model_")
        classes: np.ndarray = self.model_.classes_
        return classes

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, float64 (n, n_classes), columns in the order of `classes_`. See `predict` for `X`."""
        probabilities: np.ndarray = self._ask("predict_proba", X)
        return probabilities


class AutoMLRegressor(RegressorMixin, _AutoML):
    """A regressor that finds itself. Arguments and attributes are those of `AutoMLClassifier`, `classes_` apart.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = AutoMLRegressor(metric="r2", max_trials=1).fit(X, y)
        >>> model.predict(X).shape, model.best_score_ > 0.4
        ((442,), True)
    """

    _task = "regression"


def _options(key: str, given: Any) -> Any:
    """One of the groups, as a new dictionary; None where it switches off what it is about."""
    if key in ("registry", "tracking") and (given is None or (isinstance(given, str) and given == "auto")):
        return given
    if given is None:
        return {}
    if isinstance(given, BaseModel):
        return given.model_dump(exclude_unset=True)
    if isinstance(given, Mapping):
        return dict(given)
    raise ConfigError("expected a mapping.", key=key)


def _plain(value: Any) -> Any:
    """Python's own number or text of a NumPy scalar: parameter grids hold such."""
    return value.item() if isinstance(value, np.generic) else value


@contextlib.contextmanager
def _refused_as_value_errors() -> Iterator[None]:
    """scikit-learn promises ValueError for what cannot be used. The sentence stays, with the argument's name here."""
    try:
        yield
    except DataError as error:
        raise ValueError(str(error)) from error
    except ConfigError as error:
        argument = _ARGUMENTS.get(error.key or "")
        raise ValueError(f"{argument}: {error.message}" if argument else str(error)) from error

"""XGBoost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from automl.learning.algorithms.arguments import NUMBER, NUMBERS, Argument, each, words
from automl.learning.algorithms.base import Learner, TrainingData
from automl.learning.algorithms.progress import Progress, Rounds

__all__ = ["ESTIMATORS", "XGBoostLearner", "arguments", "learner_class"]

ESTIMATORS = {"xgboost": ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor")}

_OBJECTIVE = words(
    *("reg:squarederror", "reg:squaredlogerror", "reg:logistic", "reg:pseudohubererror", "reg:absoluteerror"),
    *("reg:quantileerror", "reg:gamma", "reg:tweedie", "count:poisson", "binary:logistic", "binary:logitraw"),
    *("binary:hinge", "multi:softmax", "multi:softprob"),
)
_METRIC = words(
    *("rmse", "rmsle", "mae", "mape", "mphe", "logloss", "error", "merror", "mlogloss", "auc", "aucpr"),
    *("poisson-nloglik", "gamma-nloglik", "gamma-deviance", "quantile"),
    nested=True,
)
_ARGUMENTS: dict[str, Argument] = {
    **each("objective", _OBJECTIVE),
    **each("eval_metric", _METRIC),
    **each("booster", words("gbtree", "gblinear", "dart")),
    **each("tree_method", words("auto", "exact", "approx", "hist")),
    **each("grow_policy", words("depthwise", "lossguide")),
    **each("sampling_method", words("uniform", "gradient_based")),
    **each("importance_type", words("gain", "weight", "cover", "total_gain", "total_cover")),
    **each("multi_strategy", words("one_output_per_tree", "multi_output_tree")),
    **each("device", words("cpu", "cuda")),
    **each("sample_type", words("uniform", "weighted")),
    **each("normalize_type", words("tree", "forest")),
    **each("feature_selector", words("cyclic", "shuffle", "random", "greedy", "thrifty")),
    **each("monotone_constraints interaction_constraints feature_weights base_score quantile_alpha", NUMBERS),
    **each("n_estimators learning_rate eta max_depth max_leaves max_bin gamma min_split_loss min_child_weight", NUMBER),
    **each("max_delta_step subsample colsample_bytree colsample_bylevel colsample_bynode", NUMBER),
    **each("reg_alpha alpha reg_lambda lambda lambda_bias scale_pos_weight missing num_parallel_tree", NUMBER),
    **each("max_cat_to_onehot max_cat_threshold rate_drop skip_drop one_drop top_k", NUMBER),
    **each("tweedie_variance_power huber_slope max_cached_hist_node validate_parameters enable_categorical", NUMBER),
    **each("n_jobs random_state seed verbosity", NUMBER),
}
"""Of training. Others are refused: other machines, callbacks, chains of updaters, a model to continue from."""


def arguments(estimator: str) -> dict[str, Argument]:
    return _ARGUMENTS


_DEFAULT_ROUNDS = 100
_BOOSTERS = ("gbtree", "gblinear", "dart")


def learner_class(estimator: type) -> type[Learner]:
    return XGBoostLearner


class XGBoostLearner(Learner):
    reports = True

    def _fit(self, data: TrainingData, progress: Progress | None) -> None:
        kinds = ["q"] * data.X.shape[1]
        for i in data.categorical:
            kinds[i] = "c"
        model = self._make(verbosity=0, enable_categorical=True, feature_types=kinds)
        if progress is not None:
            rounds = Rounds(progress, model.n_estimators or _DEFAULT_ROUNDS)
            model.set_params(callbacks=[self._callback(rounds, data.valid, kinds)])
        model.fit(data.X, data.y, sample_weight=data.weight)
        model.set_params(callbacks=None)  # they would be pickled with the model
        self.model = model

    def _predict(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(X) if self.n_classes is None else self.model.predict_proba(X))

    def _further_names(self) -> frozenset[str]:
        return _names_beside(self.params)

    def _callback(self, rounds: Rounds, valid: np.ndarray | None, kinds: list[str]) -> Any:
        from xgboost import DMatrix
        from xgboost.callback import TrainingCallback

        # One matrix for all reports: the booster keeps its predictions for it and adds only the new trees.
        matrix = None if valid is None else DMatrix(valid, feature_types=kinds, enable_categorical=True)
        outside = self._outside

        class AfterRound(TrainingCallback):
            def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
                return rounds.after(None if matrix is None else lambda: outside(model.predict(matrix)))

        return AfterRound()


def _names_beside(params: Mapping[str, Any]) -> frozenset[str]:
    """Return the names that XGBoost takes, alone and beside `params`, as its boosters' configurations show them.

    The Python class takes any name, and trains without what it does not know. Which names there are depends on the
    values: an objective and an updater have their own parameters.
    """
    from xgboost import Booster, DMatrix
    from xgboost.core import XGBoostError

    rows = DMatrix(np.eye(2), np.arange(2), nthread=1)
    given = {name: value for name, value in params.items() if not callable(value)}
    if str(given.get("objective")).startswith("multi:"):
        given["num_class"] = 2
    names = set[str]()
    for settings, booster in itertools.product(({}, given), _BOOSTERS):
        with suppress(XGBoostError):  # values that the fit will refuse as well, where they matter
            made = Booster({**settings, "booster": booster, "verbosity": 0, "nthread": 1}, cache=[rows])
            names.update(_leaves(json.loads(made.save_config())))
    return frozenset(names)


def _leaves(configuration: Any) -> Iterator[str]:
    """The names below which no further ones stand."""
    if isinstance(configuration, list):
        for entry in configuration:
            yield from _leaves(entry)
    elif isinstance(configuration, dict):
        for name, value in configuration.items():
            if isinstance(value, dict | list):
                yield from _leaves(value)
            else:
                yield name

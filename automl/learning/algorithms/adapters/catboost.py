"""CatBoost."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from automl.learning.algorithms.arguments import NUMBER, NUMBERS, Argument, each, words
from automl.learning.algorithms.base import Learner, TrainingData
from automl.learning.algorithms.progress import Progress, Rounds

__all__ = ["ESTIMATORS", "CatBoostLearner", "arguments", "learner_class"]

ESTIMATORS = {"catboost": ("CatBoostClassifier", "CatBoostRegressor")}

_LOSS = Argument(
    pattern=re.compile(
        "(?:Logloss|CrossEntropy|MultiClass|MultiClassOneVsAll|Focal|RMSE|MAE|MAPE|Quantile|Poisson|LogLinQuantile|"
        "Lq|Huber|Expectile|Tweedie|LogCosh|Accuracy|BalancedAccuracy|AUC|PRAUC|F1|MCC|Precision|Recall|R2|MSLE|SMAPE)"
        "(?::[a-z_]+=[0-9.eE+-]+(?:;[a-z_]+=[0-9.eE+-]+)*)?"
    )
)
"""A loss or a metric, with numbers for its own parameters."""
_BORDERS = words("Median", "Uniform", "UniformAndQuantiles", "MaxLogSum", "MinEntropy", "GreedyLogSum")
_ARGUMENTS: dict[str, Argument] = {
    **each("loss_function objective eval_metric", _LOSS),
    **each("grow_policy", words("SymmetricTree", "Depthwise", "Lossguide")),
    **each("boosting_type", words("Ordered", "Plain")),
    **each("bootstrap_type", words("Bayesian", "Bernoulli", "MVS", "Poisson", "No")),
    **each("sampling_unit", words("Object", "Group")),
    **each("sampling_frequency", words("PerTree", "PerTreeLevel")),
    **each("nan_mode", words("Min", "Max", "Forbidden")),
    **each("leaf_estimation_method", words("Newton", "Gradient", "Exact", "Simple")),
    **each("leaf_estimation_backtracking", words("No", "AnyImprovement", "Armijo")),
    **each("score_function", words("Cosine", "L2", "NewtonCosine", "NewtonL2")),
    **each(
        "feature_border_type",
        _BORDERS,
    ),
    **each("random_score_type", words("NormalWithModelSizeDecrease", "Gumbel")),
    **each("model_shrink_mode", words("Constant", "Decreasing")),
    **each("auto_class_weights", words("None", "Balanced", "SqrtBalanced")),
    **each("counter_calc_method", words("Full", "SkipTest")),
    **each("od_type", words("IncToDec", "Iter")),
    **each("task_type", words("CPU", "GPU")),
    **each("logging_level", words("Silent", "Verbose", "Info", "Debug")),
    **each("allow_writing_files", Argument(only=(False,))),
    **each("class_weights monotone_constraints feature_weights ignored_features", NUMBERS),
    **each("first_feature_use_penalties per_object_feature_penalties", NUMBERS),
    **each("iterations n_estimators num_boost_round num_trees learning_rate eta depth max_depth", NUMBER),
    **each("l2_leaf_reg reg_lambda model_size_reg rsm colsample_bylevel border_count max_bin", NUMBER),
    **each("fold_permutation_block fold_len_multiplier leaf_estimation_iterations", NUMBER),
    **each("random_seed random_state random_strength bagging_temperature subsample mvs_reg", NUMBER),
    **each("min_data_in_leaf min_child_samples max_leaves num_leaves one_hot_max_size max_ctr_complexity", NUMBER),
    **each("ctr_leaf_count_limit store_all_simple_ctr ctr_target_border_count target_border", NUMBER),
    **each("scale_pos_weight has_time allow_const_label boost_from_average approx_on_full_history", NUMBER),
    **each("penalties_coefficient model_shrink_rate langevin diffusion_temperature posterior_sampling", NUMBER),
    **each("sparse_features_conflict_fraction dev_score_calc_obj_block_size dev_efb_max_buckets", NUMBER),
    **each("used_ram_limit gpu_ram_part thread_count metric_period verbose silent", NUMBER),
}
"""Of training. What is not listed is refused: folders, snapshots, devices by their numbers, callbacks, texts."""


def arguments(estimator: str) -> dict[str, Argument]:
    return _ARGUMENTS


_DEFAULT_ROUNDS = 1000
_MISSING = -1


def learner_class(estimator: type) -> type[Learner]:
    return CatBoostLearner


class CatBoostLearner(Learner):
    """CatBoost cannot predict before its fit is over: it can be stopped between rounds, but reports no values."""

    def _fit(self, data: TrainingData, progress: Progress | None) -> None:
        self._categorical = data.categorical
        seed = {} if {"random_seed", "random_state"} & self.params.keys() else {"random_seed": self.seed}
        silent = {} if {"verbose", "logging_level", "silent"} & self.params.keys() else {"logging_level": "Silent"}
        model = self._make(allow_writing_files=False, thread_count=self.threads, **seed, **silent)
        model.set_params(thread_count=self.threads)
        rounds = Rounds(progress, _iterations(model.get_params()))
        model.fit(
            self._table(data.X),
            data.y,
            sample_weight=data.weight,
            cat_features=data.categorical or None,
            callbacks=None if progress is None else [_AfterRound(rounds)],
        )
        self.model = model

    def _predict(self, X: np.ndarray) -> np.ndarray:
        table = self._table(X)
        if self.n_classes is None:
            return np.asarray(self.model.predict(table, thread_count=self.threads))
        return np.asarray(self.model.predict_proba(table, thread_count=self.threads))

    def _table(self, X: np.ndarray) -> Any:
        """A DataFrame where there are categories, which have to be integers: codes, -1 for missing."""
        if not self._categorical:
            return X
        import pandas as pd

        table = pd.DataFrame(X)
        for i in self._categorical:
            table[i] = np.where(np.isnan(X[:, i]), _MISSING, X[:, i]).astype(np.int64)
        return table


class _AfterRound:
    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds

    def after_iteration(self, info: Any) -> bool:
        return not self._rounds.after(None)  # False ends the fit


def _iterations(params: dict[str, Any]) -> int:
    for name in ("iterations", "n_estimators", "num_boost_round", "num_trees"):
        if params.get(name) is not None:
            return int(params[name])
    return _DEFAULT_ROUNDS

"""LightGBM."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from automl.learning.algorithms.arguments import NUMBER, NUMBERS, Argument, each, words
from automl.learning.algorithms.base import Learner, TrainingData
from automl.learning.algorithms.progress import Progress, Rounds

__all__ = ["ESTIMATORS", "LightGBMLearner", "arguments", "learner_class"]

ESTIMATORS = {"lightgbm": ("LGBMClassifier", "LGBMRegressor")}

_OBJECTIVE = words(
    *("binary", "multiclass", "softmax", "multiclassova", "multiclass_ova", "ova", "ovr", "cross_entropy"),
    *("cross_entropy_lambda", "regression", "regression_l2", "l2", "mean_squared_error", "mse", "l2_root", "rmse"),
    *("root_mean_squared_error", "regression_l1", "l1", "mean_absolute_error", "mae", "huber", "fair", "poisson"),
    *("quantile", "mape", "mean_absolute_percentage_error", "gamma", "tweedie"),
)
_MONOTONE = words("basic", "intermediate", "advanced")
_ARGUMENTS: dict[str, Argument] = {
    **each("boosting boost boosting_type", words("gbdt", "gbrt", "rf", "random_forest", "dart", "goss")),
    **each("objective app loss application objective_type", _OBJECTIVE),
    **each("data_sample_strategy", words("bagging", "goss")),
    **each("device_type device", words("cpu", "gpu", "cuda")),
    **each(
        "monotone_constraints_method mc_method monotone_constraining_method",
        words(*["basic", "intermediate", "advanced"]),
    ),
    **each("importance_type", words("split", "gain")),
    **each("class_weight", words("balanced", nested=True)),
    **each("monotone_constraints mc monotonic_cst monotone_constraint interaction_constraints", NUMBERS),
    **each("feature_contri fc fp feature_contrib feature_penalty max_bin_by_feature", NUMBERS),
    **each("cegb_penalty_feature_lazy cegb_penalty_feature_coupled", NUMBERS),
    **each("n_estimators num_iterations num_iteration n_iter num_tree num_trees num_round num_rounds nrounds", NUMBER),
    **each("num_boost_round max_iter learning_rate eta shrinkage_rate boost_from_average sigmoid alpha", NUMBER),
    **each("num_leaves num_leaf max_leaves max_leaf max_leaf_nodes max_depth max_bin max_bins min_data_in_bin", NUMBER),
    **each("min_child_samples min_data_in_leaf min_data min_data_per_leaf min_samples_leaf path_smooth", NUMBER),
    **each("min_child_weight min_sum_hessian_in_leaf min_hessian min_sum_hessian min_sum_hessian_per_leaf", NUMBER),
    **each("min_split_gain min_gain_to_split max_delta_step max_leaf_output max_tree_output", NUMBER),
    **each("subsample bagging_fraction bagging sub_row subsample_freq bagging_freq subsample_for_bin", NUMBER),
    **each("bin_construct_sample_cnt pos_bagging_fraction pos_bagging pos_sub_row pos_subsample", NUMBER),
    **each("neg_bagging_fraction neg_bagging neg_sub_row neg_subsample top_rate other_rate", NUMBER),
    **each("colsample_bytree feature_fraction sub_feature", NUMBER),
    **each("colsample_bynode feature_fraction_bynode sub_feature_bynode", NUMBER),
    **each("reg_alpha lambda_l1 l1_regularization reg_lambda lambda_l2 lambda l2_regularization", NUMBER),
    **each("linear_tree linear_trees linear_lambda extra_trees extra_tree monotone_penalty", NUMBER),
    **each("monotone_splits_penalty mc_penalty ms_penalty drop_rate rate_drop max_drop skip_drop", NUMBER),
    **each("xgboost_dart_mode uniform_drop cat_l2 cat_smooth min_data_per_group max_cat_threshold", NUMBER),
    **each("max_cat_to_onehot refit_decay_rate use_missing zero_as_missing feature_pre_filter reg_sqrt", NUMBER),
    **each("is_enable_sparse is_sparse enable_sparse sparse enable_bundle is_enable_bundle bundle", NUMBER),
    **each("is_unbalance unbalance unbalanced_sets scale_pos_weight fair_c poisson_max_delta_step", NUMBER),
    **each("tweedie_variance_power use_quantized_grad num_grad_quant_bins quant_train_renew_leaf", NUMBER),
    **each("stochastic_rounding cegb_tradeoff cegb_penalty_split force_row_wise force_col_wise", NUMBER),
    **each("histogram_pool_size hist_pool_size deterministic gpu_use_dp n_jobs verbosity verbose", NUMBER),
    **each("seed random_seed random_state data_random_seed data_seed bagging_seed bagging_fraction_seed", NUMBER),
    **each("feature_fraction_seed drop_seed extra_seed objective_seed", NUMBER),
}
"""Of training, by all of their names. LightGBM reads texts as assignments, separated by blanks, and so many names as
there are for forced splits, models, configurations and other machines: what is not listed is refused."""


def arguments(estimator: str) -> dict[str, Argument]:
    return _ARGUMENTS


def learner_class(estimator: type) -> type[Learner]:
    return LightGBMLearner


class LightGBMLearner(Learner):
    reports = True

    def _fit(self, data: TrainingData, progress: Progress | None) -> None:
        # Sums in the order of rows: the same bits on every machine with this many threads.
        model = self._make(verbosity=-1, deterministic=True, force_row_wise=True, metric="None")
        settings: dict[str, Any] = {"sample_weight": data.weight, "categorical_feature": data.categorical or "auto"}
        if progress is not None:
            metric, after_round = _watch(Rounds(progress, model.n_estimators), self._outside)
            settings["callbacks"] = [after_round]
            if progress.wanted and data.valid is not None:
                # The targets are zeros: no model sees those of the validation rows.
                unknown = np.zeros(len(data.valid), data.y.dtype)
                settings |= {"eval_X": data.valid, "eval_y": unknown, "eval_metric": metric}
        self.model = model.fit(data.X, data.y, **settings)

    def _predict(self, X: np.ndarray) -> np.ndarray:
        # The booster itself: the wrapper would ask for column names.
        return np.asarray(self.model.booster_.predict(X, num_threads=self.threads))

    def _further_names(self) -> frozenset[str] | None:
        return _names()


@cache
def _names() -> frozenset[str] | None:
    """Every parameter of LightGBM, and the other names of each, as its C interface tells; None if that is not found.

    The Python class takes any name, and trains without what it does not know.
    """
    import lightgbm

    file = next((Path(lightgbm.__file__).parent / "lib").glob("lib_lightgbm.*"), None)
    if file is None:
        return None
    dump = ctypes.CDLL(str(file)).LGBM_DumpParamAliases  # of the library that is loaded already
    size = ctypes.c_int64(0)
    dump(ctypes.c_int64(0), ctypes.byref(size), None)
    text = ctypes.create_string_buffer(size.value)
    dump(size, ctypes.byref(size), text)
    return frozenset(name for own, others in json.loads(text.value).items() for name in (own, *others))


def _watch(
    rounds: Rounds, outside: Callable[[np.ndarray], np.ndarray]
) -> tuple[Callable[..., tuple[str, float, bool]], Callable[[Any], None]]:
    """A metric and a callback, between which predictions pass.

    LightGBM adds each new tree to its predictions for an evaluation set. Taking them from there, by way of a metric,
    spares predicting with all trees again at each report. Functions, not an object: LightGBM copies a metric deeply.
    """
    latest: np.ndarray | None = None

    def metric(_: np.ndarray, predictions: np.ndarray) -> tuple[str, float, bool]:
        nonlocal latest
        latest = predictions
        return "nothing", 0.0, False

    def after_round(env: Any) -> None:
        from lightgbm.callback import EarlyStopException

        found = latest
        if rounds.after(None if found is None else lambda: outside(found)):
            raise EarlyStopException(env.iteration, env.evaluation_result_list or [])

    return metric, after_round

"""Other names of the same metrics.

`AZURE_ML` names keep their own name in logs and tables: users who bring a job from the retired cloud look for them
    there.
`SPELLINGS` (scikit-learn's function and scorer names) lead to the plain name. Scorers named ``neg_*`` are negated only
so that larger is better; our metrics know their direction.
"""

from __future__ import annotations

__all__ = ["AZURE_ML", "SPELLINGS"]

AZURE_ML: dict[str, str] = {
    "AUC_binary": "roc_auc",
    "AUC_macro": "roc_auc_ovr",
    "AUC_micro": "roc_auc_micro",
    "AUC_weighted": "roc_auc_ovr_weighted",
    "average_precision_score_binary": "average_precision",
    "average_precision_score_macro": "average_precision_macro",
    "average_precision_score_micro": "average_precision_micro",
    "average_precision_score_weighted": "average_precision_weighted",
    "f1_score_binary": "f1",
    "f1_score_macro": "f1_macro",
    "f1_score_micro": "f1_micro",
    "f1_score_weighted": "f1_weighted",
    "precision_score_binary": "precision",
    "precision_score_macro": "precision_macro",
    "precision_score_micro": "precision_micro",
    "precision_score_weighted": "precision_weighted",
    "recall_score_binary": "recall",
    "recall_score_macro": "recall_macro",
    "recall_score_micro": "recall_micro",
    "recall_score_weighted": "recall_weighted",
    "matthews_correlation": "matthews_corrcoef",
    "r2_score": "r2",
    "spearman_correlation": "spearman",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "root_mean_squared_log_error": "rmsle",
}

SPELLINGS: dict[str, str] = {
    "accuracy_score": "accuracy",
    "average_precision_score": "average_precision",
    "balanced_accuracy_score": "balanced_accuracy",
    "brier": "brier_score",
    "brier_score_loss": "brier_score",
    "cohen_kappa_score": "cohen_kappa",
    "d2_absolute_error_score": "d2_absolute_error",
    "explained_variance_score": "explained_variance",
    "f1_score": "f1",
    "jaccard_score": "jaccard",
    "mcc": "matthews_corrcoef",
    "mean_gamma_deviance": "gamma_deviance",
    "mean_poisson_deviance": "poisson_deviance",
    "mean_squared_error": "mse",
    "mean_squared_log_error": "msle",
    "neg_brier_score": "brier_score",
    "neg_log_loss": "log_loss",
    "neg_max_error": "max_error",
    "neg_mean_absolute_error": "mae",
    "neg_mean_absolute_percentage_error": "mape",
    "neg_mean_gamma_deviance": "gamma_deviance",
    "neg_mean_poisson_deviance": "poisson_deviance",
    "neg_mean_squared_error": "mse",
    "neg_mean_squared_log_error": "msle",
    "neg_median_absolute_error": "median_absolute_error",
    "neg_root_mean_squared_error": "rmse",
    "neg_root_mean_squared_log_error": "rmsle",
    "pearson_correlation": "pearson",
    "precision_score": "precision",
    "recall_score": "recall",
    "roc_auc_score": "roc_auc",
    "spearmanr": "spearman",
    "top_2_accuracy": "top_k_accuracy",
    "top_k_accuracy_score": "top_k_accuracy",
}

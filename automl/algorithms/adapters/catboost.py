"""CatBoost."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl.algorithms.base import Learner
from automl.algorithms.progress import Progress, Rounds

__all__ = ["CatBoostLearner", "learner_class"]

_DEFAULT_ROUNDS = 1000
_MISSING = -1


def learner_class(estimator: type) -> type[Learner]:
    return CatBoostLearner


class CatBoostLearner(Learner):
    """CatBoost cannot predict before its fit is over: it can be stopped between rounds, but reports no values."""

    def _fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        weight: np.ndarray | None,
        categorical: list[int],
        valid: np.ndarray | None,
        progress: Progress | None,
    ) -> None:
        self._categorical = categorical
        seed = {} if {"random_seed", "random_state"} & self.params.keys() else {"random_seed": self.seed}
        silent = {} if {"verbose", "logging_level", "silent"} & self.params.keys() else {"logging_level": "Silent"}
        model = self._make(allow_writing_files=False, thread_count=self.threads, **seed, **silent)
        model.set_params(thread_count=self.threads)
        rounds = Rounds(progress, _iterations(model.get_params()))
        model.fit(
            self._table(X),
            y,
            sample_weight=weight,
            cat_features=categorical or None,
            callbacks=None if progress is None else [_AfterRound(rounds)],
        )
        self.model = model

    def _predict(self, X: np.ndarray) -> np.ndarray:
        table = self._table(X)
        if self.n_classes is None:
            return np.asarray(self.model.predict(table, thread_count=self.threads))
        return np.asarray(self.model.predict_proba(table, thread_count=self.threads))

    def _table(self, X: np.ndarray) -> Any:
        """A DataFrame where there are categories, for they have to be integers: codes, -1 for missing."""
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

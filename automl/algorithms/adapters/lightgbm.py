"""LightGBM."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from automl.algorithms.base import Learner
from automl.algorithms.progress import Progress, Rounds

__all__ = ["LightGBMLearner", "learner_class"]


def learner_class(estimator: type) -> type[Learner]:
    return LightGBMLearner


class LightGBMLearner(Learner):
    reports = True

    def _fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        weight: np.ndarray | None,
        categorical: list[int],
        valid: np.ndarray | None,
        progress: Progress | None,
    ) -> None:
        # Sums in the order of rows: the same bits on every machine with this many threads.
        model = self._make(verbosity=-1, deterministic=True, force_row_wise=True, metric="None")
        settings: dict[str, Any] = {"sample_weight": weight, "categorical_feature": categorical or "auto"}
        if progress is not None:
            metric, after_round = _watch(Rounds(progress, model.n_estimators), self._outside)
            settings["callbacks"] = [after_round]
            if progress.wanted and valid is not None:
                # The targets are zeros: no model sees those of the validation rows.
                settings |= {"eval_X": valid, "eval_y": np.zeros(len(valid), y.dtype), "eval_metric": metric}
        self.model = model.fit(X, y, **settings)

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
    spares predicting with all trees again at each report. Functions and no object: LightGBM copies a metric deeply.
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

"""Metrics by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from automl.errors import MetricError
from automl.learning.metrics import classification, regression
from automl.learning.metrics.base import CLASSIFICATION, REGRESSION, Metric, Needs, score_all
from automl.learning.metrics.custom import CustomFunction
from automl.learning.metrics.names import AZURE_ML, SPELLINGS
from automl.learning.metrics.options import MetricOptions

__all__ = ["get_metric", "metric_from_callable", "metric_from_options", "metrics_of", "score_all"]

GROUP = "automl.metrics"
"""Entry points under which other distributions offer a `Metric`, or an iterable of them."""

_LISTED = 12
"""Metrics that a message lists; the common ones come first."""

ONE_VS_ONE_LIMIT = 30
"""Beyond so many classes the pairs of classes cost more than they tell: one-vs-one scores are logged on request."""


@cache
def _known() -> dict[str, Metric]:
    """All metrics under their plain names, those of plugins last."""
    known = {metric.name: metric for metric in (*classification.METRICS, *regression.METRICS)}
    for entry in entry_points(group=GROUP):
        offered = entry.load()
        for metric in (offered,) if isinstance(offered, Metric) else tuple(offered):
            if metric.name in known or metric.name in AZURE_ML or metric.name in SPELLINGS:
                raise MetricError(f"The plugin {entry.value} offers a metric {metric.name!r}, but that name is taken.")
            known[metric.name] = metric
    return known


def _find(name: str) -> Metric | None:
    if name in AZURE_ML:
        return replace(_known()[AZURE_ML[name]], name=name)
    return _known().get(SPELLINGS.get(name, name))


def get_metric(name: str, task: str, n_classes: int | None = None) -> Metric:
    """The metric called `name`, by scikit-learn's name, the plain one, or the retired cloud's.

    Args:
        name: such as ``roc_auc``, ``neg_log_loss``, ``rmse`` or ``AUC_weighted``.
        task: ``classification`` or ``regression``.
        n_classes: None when it is not known yet.

    Raises:
        MetricError: there is none, it belongs to another task, or it needs two classes and there are more.

    Example:
        >>> get_metric("neg_root_mean_squared_error", "regression").name
        'rmse'
    """
    metric = _find(name)
    if metric is None:
        raise MetricError(f"There is no metric {name!r}.{_suggestion(name, task, n_classes)}", key="metric")
    if task not in metric.tasks:
        raise MetricError(
            f"The metric {name!r} is for {' and '.join(sorted(metric.tasks))}, and this is {task}."
            f"{_listing(task, n_classes)}",
            key="metric",
        )
    if metric.binary_only and n_classes is not None and n_classes != 2:
        raise MetricError(
            f"The metric {name!r} needs exactly two classes, and there are {n_classes}. "
            f"Write {_averaged(metric.name)} instead.",
            key="metric",
        )
    return metric


def metric_from_options(options: MetricOptions, task: str, n_classes: int | None = None) -> Metric:
    """`get_metric` for what is in an experiment file.

    Raises:
        MetricError: as for `get_metric`, or the goal contradicts the metric's own.
    """
    metric = get_metric(options.name, task, n_classes)
    if options.goal not in (None, metric.goal):
        raise MetricError(f"{options.name!r} is a metric to {metric.goal}; leave the goal out.", key="metric.goal")
    return metric


def metrics_of(task: str, n_classes: int | None) -> tuple[Metric, ...]:
    """All metrics that make sense for a task, each under one name: what is logged for every trial.

    Args:
        task: ``classification`` or ``regression``.
        n_classes: None for regression, or when it is not known.
    """
    return tuple(metric for metric in _known().values() if task in metric.tasks and _fits(metric, n_classes))


def _fits(metric: Metric, n_classes: int | None) -> bool:
    if n_classes is None or REGRESSION in metric.tasks:
        return True
    if metric.binary_only or metric.name == "top_k_accuracy":
        return metric.binary_only == (n_classes == 2)
    return n_classes <= ONE_VS_ONE_LIMIT or "_ovo" not in metric.name


def metric_from_callable(
    function: Callable[[Any, Any], float],
    *,
    name: str | None = None,
    maximize: bool = True,
    needs: Needs = "labels",
) -> Metric:
    """A user's ``function(y_true, y_pred)`` as a metric.

    In classification it gets codes until `Metric.with_classes` has told it the original labels.

    Args:
        function: returns one number. It must not need more than the two arguments.
        name: by default the function's own name.
        maximize: True if larger is better.
        needs: ``labels``, or ``probabilities``: (n,) of the positive class for two classes, (n, K) for more.
            A regression's function gets the values either way.

    Raises:
        MetricError: it is not such a function, or bears a known metric's name with the opposite direction.

    Example:
        >>> import numpy as np
        >>> within_one = metric_from_callable(lambda y, p: float(np.mean(abs(y - p) <= 1)), name="within_one")
        >>> within_one.score(np.array([1.0, 2.0]), np.array([1.5, 9.0]))
        0.5
    """
    if not callable(function):
        raise MetricError(f"A metric is a name or a function (y_true, y_pred), not {function!r}.", key="metric")
    own = getattr(function, "__name__", "")
    if hasattr(function, "_score_func"):
        raise MetricError(
            "A scikit-learn scorer cannot be a metric, since it calls the model itself; "
            "pass its name, or the function it was made from.",
            key="metric",
        )
    chosen = name or (own if own.isidentifier() else "custom")
    known = _find(chosen)
    if known is not None and known.maximize != maximize:
        raise MetricError(
            f"{chosen!r} is a metric to {known.goal}: pass maximize={known.maximize}, "
            f"metric={chosen!r} for automl's own, or another name for yours.",
            key="metric",
        )
    both = frozenset({CLASSIFICATION, REGRESSION})
    return Metric(chosen, maximize, needs, both, CustomFunction(function, needs))


def _names(task: str, n_classes: int | None) -> list[str]:
    return [metric.name for metric in metrics_of(task, n_classes)]


def _suggestion(name: str, task: str, n_classes: int | None) -> str:
    everything: Iterable[str] = {*_known(), *AZURE_ML, *SPELLINGS}
    lowered = {candidate.lower(): candidate for candidate in everything}
    close = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f" Did you mean {lowered[close[0]]!r}?" if close else _listing(task, n_classes)


def _listing(task: str, n_classes: int | None) -> str:
    names = _names(task, n_classes)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f" {task.capitalize()} has {', '.join(names[:_LISTED])}{more}." if names else ""


def _averaged(name: str) -> str:
    plain = AZURE_ML.get(name, name)
    if plain == "roc_auc":
        return "'roc_auc_ovr' or 'roc_auc_ovr_weighted'"
    return f"'{plain}_macro' or '{plain}_weighted'"

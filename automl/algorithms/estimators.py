"""From an entry of a search space to a learner.

An estimator's library decides which adapter wraps it: the module of `automl.algorithms.adapters` that is named after
its package, or one that a plugin announces under the entry-point group ``automl.learners`` (name: the package). Each
has a function ``learner_class(estimator)``. Anything else is taken for a scikit-learn estimator.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from automl.algorithms.base import Learner
from automl.errors import SpaceError
from automl.space.trust import resolve_estimator

if TYPE_CHECKING:
    from automl.space.space import AlgorithmSpace

__all__ = ["make_learner"]

Adapter = Callable[[type], type[Learner]]


def make_learner(
    space: AlgorithmSpace,
    params: Mapping[str, Any],
    *,
    task: str,
    seed: int,
    threads: int,
    trust: bool = False,
    n_classes: int | None = None,
) -> Learner:
    """The unfitted learner of one trial and fold.

    Args:
        space: the algorithm: its estimator's path, fixed arguments and view.
        params: hyperparameters by their plain names; they win over the fixed arguments.
        task: ``classification`` or ``regression``.
        n_classes: number of classes; needed for classification.

    Raises:
        SpaceError: there is no such estimator.
        TrustError: it is outside the allowed packages, and `trust` is False.
    """
    if space.estimator is None:
        raise SpaceError("an algorithm needs the import path of an estimator.", key="estimator")
    if task == "classification" and n_classes is None:
        raise ValueError("n_classes is needed for classification")
    estimator = resolve_estimator(space.estimator, trust=trust)
    kind = _adapter(estimator)(estimator)
    return kind(
        estimator,
        {**space.fixed, **params},
        n_classes=n_classes if task == "classification" else None,
        seed=seed,
        threads=threads,
        view=space.view,
    )


def _adapter(estimator: type) -> Adapter:
    """The adapter of the first ancestor whose library has one: a subclass keeps its parent's."""
    for ancestor in estimator.__mro__:
        package = ancestor.__module__.partition(".")[0]
        if package == "builtins":
            continue
        name = f"{__package__}.adapters.{package}"
        if importlib.util.find_spec(name) is not None:
            adapter: Adapter = importlib.import_module(name).learner_class
            return adapter
        if (plugin := _plugin(package)) is not None:
            return plugin
    from automl.algorithms.adapters.sklearn import learner_class

    return learner_class


@cache
def _plugin(package: str) -> Adapter | None:
    from importlib.metadata import entry_points

    for point in entry_points(group="automl.learners", name=package):
        adapter: Adapter = point.load()
        return adapter
    return None

"""From an entry of a search space to a learner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automl.errors import SpaceError
from automl.learning.algorithms.base import Learner
from automl.learning.algorithms.libraries import adapter_of
from automl.learning.algorithms.trust import check_arguments, resolve_estimator
from automl.learning.features.views import view_name

if TYPE_CHECKING:
    from automl.engine.space.space import AlgorithmSpace

__all__ = ["make_learner"]


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
        SpaceError: there is no such estimator, or it has no such parameter.
        TrustError: it may not be named without trust, or an argument may not be set without it.
    """
    if space.estimator is None:
        raise SpaceError("an algorithm needs the import path of an estimator.", key="estimator")
    if task == "classification" and n_classes is None:
        raise ValueError("n_classes is needed for classification")
    estimator = resolve_estimator(space.estimator, trust=trust)
    learner = adapter_of(estimator)(estimator)(
        estimator,
        {**space.fixed, **params},
        n_classes=n_classes if task == "classification" else None,
        seed=seed,
        threads=threads,
        view=view_name(space.view),
    )
    learner.check_names()
    check_arguments(space.estimator, learner.params, trust=trust)  # a record, by anyone, gives them too
    return learner

"""Pruners by the names that users write."""

from __future__ import annotations

from functools import cache

from automl.search import pruners as folder
from automl.search.discovery import discover
from automl.search.named import NamedOptions, build
from automl.search.pruners.base import Pruner

__all__ = ["make_pruner", "pruners"]


@cache
def pruners() -> dict[str, type[Pruner]]:
    """Every known pruner by name."""
    return {pruner.name: pruner for pruner in discover(folder, Pruner)}  # type: ignore[type-abstract]


def make_pruner(options: NamedOptions) -> Pruner:
    """The pruner that `options` names.

    Raises:
        ConfigError: no such pruner, or an option it does not have.
    """
    return build("search.pruner", options, pruners())

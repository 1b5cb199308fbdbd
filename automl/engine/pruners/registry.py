"""Pruners by the names that users write."""

from __future__ import annotations

from functools import cache

from automl.engine import pruners as folder
from automl.engine.plugins.component_options import ComponentOptions, build
from automl.engine.plugins.discovery import discover
from automl.engine.pruners.base import Pruner

__all__ = ["ENTRY_POINTS", "make_pruner", "pruners"]

ENTRY_POINTS = "automl.pruners"


@cache
def pruners() -> dict[str, type[Pruner]]:
    """Every known pruner by name, installed plugins included."""
    return {p.name: p for p in discover(folder, Pruner, group=ENTRY_POINTS)}  # type: ignore[type-abstract]


def make_pruner(options: ComponentOptions) -> Pruner:
    """The pruner that `options` names.

    Raises:
        ConfigError: no such pruner, or an option it does not have.
    """
    return build("search.pruner", options, pruners())

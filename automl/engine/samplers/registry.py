"""Samplers by the names that users write."""

from __future__ import annotations

from functools import cache

from automl.engine import samplers as folder
from automl.engine.plugins.component_options import ComponentOptions, build
from automl.engine.plugins.discovery import discover
from automl.engine.samplers.base import Sampler

__all__ = ["ENTRY_POINTS", "make_sampler", "samplers"]

ENTRY_POINTS = "automl.samplers"


@cache
def samplers() -> dict[str, type[Sampler]]:
    """Every known sampler by name, installed plugins included."""
    return {s.name: s for s in discover(folder, Sampler, group=ENTRY_POINTS)}  # type: ignore[type-abstract]


def make_sampler(options: ComponentOptions) -> Sampler:
    """The sampler that `options` names.

    Raises:
        ConfigError: no such sampler, or an option it does not have.
    """
    return build("search.sampler", options, samplers())

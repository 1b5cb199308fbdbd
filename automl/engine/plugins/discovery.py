"""Find what the files of a folder define: a new criterion, sampler or pruner is one new file and touches no other."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from inspect import isabstract
from types import ModuleType
from typing import TypeVar

__all__ = ["discover"]

T = TypeVar("T")


def discover(package: ModuleType, base: type[T], *, group: str | None = None) -> tuple[type[T], ...]:
    """Concrete subclasses of `base` that the modules of `package` define, by module name; then those of plugins.

    Args:
        group: entry-point group in which installed distributions offer theirs.
    """
    found: dict[type[T], None] = {}
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, base) and not isabstract(value):
                found[value] = None
    if group is not None:
        for entry in entry_points(group=group):
            found[entry.load()] = None
    return tuple(found)

"""Libraries: which adapter wraps an estimator of each, and which estimators are known without being imported.

An estimator's library decides which adapter wraps it: the module of `automl.learning.algorithms.adapters` that is named
after its package, or one that a plugin announces under the entry-point group ``automl.learners`` (name: the package).
Each has a function ``learner_class(estimator)``. Anything else is taken for a scikit-learn estimator.

The modules of `automl.learning.algorithms.adapters` also say which estimators they know (``ESTIMATORS``: names by the
module that makes them public), and what a file may set of each (``arguments(path)``).
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from automl.learning.algorithms import adapters
from automl.learning.algorithms.arguments import Argument
from automl.learning.algorithms.base import Learner

__all__ = ["Known", "adapter_of", "known_estimator", "known_estimators", "plugin_packages", "shipped_packages"]

ALGORITHMS = "automl.algorithms"
"""Entry-point group: the packages behind it are allowed, since the user has installed them for automl."""
LEARNERS = "automl.learners"
"""Entry-point group of adapters. An entry is named after the package of a library, which is allowed as well."""

Adapter = Callable[[type], type[Learner]]


@dataclass(frozen=True)
class Known:
    """An estimator that a shipped adapter knows.

    Attributes:
        module: that makes it public.
        name: of the class there.
    """

    module: str
    name: str
    _arguments: Callable[[str], Mapping[str, Argument]]

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"

    def arguments(self) -> Mapping[str, Argument]:
        """Return what a file may set of it. scikit-learn is imported for its own."""
        return self._arguments(self.path)

    def load(self) -> Any:
        """The class itself; None if the installed library has none of this name."""
        return getattr(importlib.import_module(self.module), self.name, None)


@cache
def known_estimators() -> tuple[Known, ...]:
    return tuple(
        Known(module, name, adapter.arguments)
        for adapter in _adapters()
        for module, names in adapter.ESTIMATORS.items()
        for name in names
    )


def known_estimator(path: str) -> Known | None:
    """The known estimator at the import path `path`, or which `path` claims to be: one inside its public module."""
    module, _, name = path.rpartition(".")
    for known in known_estimators():
        if known.name == name and (module == known.module or module.startswith(f"{known.module}.")):
            return known
    return None


def _adapters() -> Iterator[Any]:
    for module in pkgutil.iter_modules(adapters.__path__):
        yield importlib.import_module(f"{adapters.__name__}.{module.name}")


@cache
def shipped_packages() -> frozenset[str]:
    """Top-level packages of the known estimators."""
    return frozenset(known.module.partition(".")[0] for known in known_estimators())


@cache
def plugin_packages() -> frozenset[str]:
    """Top-level packages that installed plugins bring, or adapt."""
    brought = {point.module.partition(".")[0] for point in entry_points(group=ALGORITHMS)}
    adapted = {point.name for point in entry_points(group=LEARNERS)}
    return frozenset(brought | adapted) - shipped_packages()


def adapter_of(estimator: type) -> Adapter:
    """The adapter of the first ancestor whose library has one: a subclass keeps its parent's."""
    for ancestor in estimator.__mro__:
        package = ancestor.__module__.partition(".")[0]
        if package == "builtins":
            continue
        name = f"{adapters.__name__}.{package}"
        if importlib.util.find_spec(name) is not None:
            adapter: Adapter = importlib.import_module(name).learner_class
            return adapter
        if (plugin := _plugin(package)) is not None:
            return plugin
    from automl.learning.algorithms.adapters.sklearn import learner_class

    return learner_class


@cache
def _plugin(package: str) -> Adapter | None:
    for point in entry_points(group=LEARNERS, name=package):
        adapter: Adapter = point.load()
        return adapter
    return None

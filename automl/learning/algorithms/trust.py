"""The code that an experiment file may make automl import and call: estimators that learn by themselves, some
arguments of each.

A path in a file is data from a stranger, and so are the arguments that it gives. Of the libraries that automl knows the
adapters list the classes and the arguments that cannot reach a file, another machine or anything to import; of plugins,
which were installed for automl, any estimator may be named. All else needs trust, which is given outside the
file.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from automl.engine.space.base import BaseParameter
from automl.engine.space.load import EXTRAS, install_hint, is_installed
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.errors import MissingExtraError, SpaceError, TrustError
from automl.learning.algorithms.arguments import PLAIN, Argument
from automl.learning.algorithms.libraries import (
    Known,
    adapter_of,
    known_estimator,
    known_estimators,
    plugin_packages,
    shipped_packages,
)
from automl.yaml_file import dotted

__all__ = ["allowed_packages", "check_arguments", "check_estimators", "check_trust", "resolve_estimator"]

_GIVE_TRUST = "if you trust this space as you trust code, pass --trust (in Python trust=True)"
_SHOWN = 60


def allowed_packages() -> frozenset[str]:
    """Top-level packages of which a file may name estimators: those that automl knows, and of installed plugins."""
    return shipped_packages() | plugin_packages()


def check_trust(space: SearchSpace, *, trust: bool, key: str = "search.space") -> None:
    """Refuse what `space` may not name or set. Of what it names nothing is imported but scikit-learn.

    Args:
        key: where the space is in the experiment's configuration.

    Raises:
        TrustError: an estimator, an argument or a value is not one that a file may use; with the key.
        SpaceError: there is no such estimator where the known ones are; with the key.
    """
    if trust:
        return
    for name, algorithm in space.algorithms.items():
        if algorithm.estimator is not None:
            _check_path(algorithm.estimator, key=f"{key}.algorithms.{name}.estimator")
    for name, algorithm in space.algorithms.items():
        known = known_estimator(algorithm.estimator or "")
        if known is not None:
            _check_entry(known.name, known.arguments(), algorithm, key=f"{key}.algorithms.{name}")


def check_estimators(space: SearchSpace, *, trust: bool, key: str = "search.space") -> None:
    """Import what `space` names: a path that leads nowhere is then known before the search.

    Nothing is imported for estimators that automl knows, nor where a known package, or the one that an entry
    `requires`, is not installed: these are left out of the search. Other modules have to be there.

    Raises:
        TrustError, SpaceError: as `resolve_estimator`, with the key; SpaceError also for what is not installed.
    """
    for name, algorithm in space.algorithms.items():
        place = f"{key}.algorithms.{name}.estimator"
        if algorithm.estimator is None:
            raise SpaceError("is needed: the import path of an estimator, package.module.Class.", key=place)
        package = algorithm.estimator.partition(".")[0]
        lacks = [module for module in algorithm.needs if not is_installed(module)]
        named = algorithm.requires is not None or package in allowed_packages() or not EXTRAS.keys().isdisjoint(lacks)
        known = known_estimator(algorithm.estimator)
        if (known is not None and known.path == algorithm.estimator) or (lacks and named):
            continue
        try:
            estimator = resolve_estimator(algorithm.estimator, trust=trust)
        except SpaceError as error:
            raise SpaceError(error.message, key=place) from error
        except MissingExtraError as error:
            raise SpaceError(str(error), key=place) from error
        except TrustError as error:
            raise TrustError(error.message, key=place) from error
        if known is None and not trust:
            _check_entry(estimator.__name__, _of_plugin(estimator), algorithm, key=f"{key}.algorithms.{name}")


def check_arguments(path: str, arguments: Mapping[str, Any], *, trust: bool) -> None:
    """Refuse arguments of the estimator at `path` that a file may not set.

    Raises:
        TrustError: one of them; with its name as the key.
    """
    if trust:
        return
    known = known_estimator(path)
    name = path.rpartition(".")[2]
    settable = _of_plugin(resolve_estimator(path, trust=trust)) if known is None else known.arguments()
    for argument, value in arguments.items():
        _check_values(name, settable, argument, [value], key=argument)


def _of_plugin(estimator: type) -> Mapping[str, Argument] | None:
    return adapter_of(estimator)(estimator).arguments(estimator)


def _check_entry(name: str, settable: Mapping[str, Argument] | None, algorithm: AlgorithmSpace, *, key: str) -> None:
    """Judge all that an entry of a space can give its estimator, which is called `name`."""
    for argument, value in algorithm.fixed.items():
        _check_values(name, settable, argument, [value], key=f"{key}.fixed.{argument}")
    for argument, parameter in algorithm.params.items():
        _check_values(name, settable, argument, _samples(parameter), key=f"{key}.params.{argument}")


def _samples(parameter: BaseParameter) -> Iterator[Any]:
    """The values of a parameter; of a range one of its numbers: they are all judged alike."""
    yield from getattr(parameter, "choices", (parameter.start,))


def _check_values(
    name: str, settable: Mapping[str, Argument] | None, argument: str, values: Iterable[Any], *, key: str
) -> None:
    taken = PLAIN if settable is None else settable.get(argument)
    if taken is None:
        near = get_close_matches(argument, settable or (), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TrustError(f"{name} has no argument {argument!r} that a file may set{_and(hint)}", key=key)
    for value in values:
        refused = taken.refused(value)
        if refused is None:
            continue
        way, wrong = refused
        near = get_close_matches(str(wrong), sorted(taken.words), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        shown = repr(wrong) if len(repr(wrong)) <= _SHOWN else f"{repr(wrong)[:_SHOWN]}..."
        raise TrustError(f"a file may not set {argument!r} of {name} to {shown}{_and(hint)}", key=f"{key}{_below(way)}")


def _and(hint: str) -> str:
    return f"{hint} {_GIVE_TRUST[0].upper()}{_GIVE_TRUST[1:]}" if hint else f"; {_GIVE_TRUST}"


def _below(way: tuple[str | int, ...]) -> str:
    text = dotted(way)
    return text if not text or text.startswith("[") else f".{text}"


def _check_path(path: str, *, key: str | None = None) -> None:
    if any(part.startswith("__") for part in path.split(".")):
        raise TrustError(f"{path} reaches into Python's own attributes", key=key)
    package = path.partition(".")[0]
    if package not in allowed_packages():
        allowed = ", ".join(sorted(allowed_packages()))
        raise TrustError(f"{path} is outside the allowed packages ({allowed}); {_GIVE_TRUST}", key=key)
    if package in shipped_packages() and known_estimator(path) is None:
        _check_public(path, key=key)
        near = get_close_matches(path, [known.path for known in known_estimators()], n=1, cutoff=0.85)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TrustError(f"{path} is none of the estimators that a file may name{_and(hint)}", key=key)


def _check_public(path: str, *, key: str | None) -> None:
    """Tell a misspelt name of a module that holds known estimators from one that is not allowed."""
    module, _, name = path.rpartition(".")
    if all(known.module != module for known in known_estimators()) or not is_installed(path.partition(".")[0]):
        return
    if not hasattr(_import(module, path), name):
        raise SpaceError(_absent(path), key=key)


def _absent(path: str) -> str:
    """Describe a path whose module, which is imported, does not have its last name."""
    module, _, name = path.rpartition(".")
    near = get_close_matches(name, [other for other in dir(sys.modules[module]) if other[0].isupper()], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{path} does not exist: the module {module} has no {name}{hint}"


def resolve_estimator(path: str, *, trust: bool) -> type[Any]:
    """The estimator class at the import path `path`.

    Without `trust` it must be one that automl knows, or that is defined in the package of an installed plugin. Nothing
    is called.

    Raises:
        TrustError: it is none of these.
        SpaceError: there is no such class, or it is not an estimator: it needs ``fit``, ``predict`` and ``get_params``,
            or to be a ``torch.nn.Module``.
        MissingExtraError: its package is not installed.
    """
    module_name, _, name = path.rpartition(".")
    if not module_name or not all(part.isidentifier() for part in path.split(".")):
        raise SpaceError(f"{path!r} is not an import path; write package.module.Class")
    if not trust:
        _check_path(path)
        known = known_estimator(path)
        if known is not None:
            return _resolve_known(path, module_name, known)
    if module_name == "__main__":
        raise SpaceError(f"{path} is part of a script, which workers cannot import: put {name} into a module")
    found = getattr(_import(module_name, path), name, None)
    if found is None:
        raise SpaceError(_absent(path))
    if not inspect.isclass(found):
        refused = SpaceError if trust else TrustError
        raise refused(f"{path} is a {type(found).__name__}, not an estimator class")
    if not trust:
        _check_class(path, found)
    missing = [method for method in ("fit", "predict", "get_params") if not callable(getattr(found, method, None))]
    if missing and not _is_net(found):
        raise SpaceError(f"{path} is not an estimator: it has no {' and no '.join(missing)}")
    return found


def _resolve_known(path: str, module: str, known: Known) -> type[Any]:
    """The known class that `path` claims to be. Only its public module is imported, wherever else `path` may lead."""
    _import(known.module, known.path)
    found = known.load()
    if not inspect.isclass(found) or module not in (known.module, found.__module__):
        raise SpaceError(f"{path} does not exist; write {known.path}")
    return found


def _check_class(path: str, found: type) -> None:
    """Refuse what a plugin's package passes on from elsewhere, or makes of the estimators that search."""
    if found.__module__.partition(".")[0] not in plugin_packages():
        raise TrustError(f"{path} is defined in {found.__module__}, which is not part of a plugin; {_GIVE_TRUST}")
    own = __name__.partition(".")[0]
    for ancestor in found.__mro__:
        if ancestor.__module__.partition(".")[0] == own and not ancestor.__module__.startswith(f"{__package__}."):
            raise TrustError(f"{path} is itself a search, as {ancestor.__name__} is; {_GIVE_TRUST}")


def _is_net(found: type) -> bool:
    """A ``torch.nn.Module``, which automl's training loop makes an estimator of. Asked by name: torch may be absent."""
    return any(
        f"{parent.__module__}.{parent.__qualname__}" == "torch.nn.modules.module.Module" for parent in found.__mro__
    )


def _import(module: str, path: str) -> Any:
    package = module.split(".")[0]
    if not is_installed(package):
        yours = "; if it is yours, run from its folder, or add that to PYTHONPATH"
        hint = "" if package in allowed_packages() else yours
        raise MissingExtraError(f"{path} cannot be used: {install_hint(package)}{hint}.")
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise SpaceError(f"{path} does not exist: there is no module {error.name}") from None
        raise MissingExtraError(f"{path} cannot be imported: {error}.") from error
    except Exception as error:  # a broken installation can raise anything
        raise SpaceError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error

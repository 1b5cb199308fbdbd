"""What an experiment file may make automl import and call: nothing but estimators of known packages.

A path in a file is data from a stranger. It could reach ``os.system`` through the imports of an allowed package, so the
object it resolves to is checked as well, before anything is called. Trust is given outside the file.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from difflib import get_close_matches
from functools import cache
from typing import Any

from automl.errors import MissingExtraError, SpaceError, TrustError
from automl.space.library import shipped_spaces
from automl.space.load import EXTRAS, install_hint, is_installed, load_space
from automl.space.space import SearchSpace

__all__ = ["ALLOWED", "allowed_packages", "check_estimators", "check_trust", "resolve_estimator"]

ALLOWED = frozenset({"sklearn", "lightgbm", "xgboost", "catboost", "automl"})
PLUGINS = "automl.algorithms"
"""Entry-point group: the packages behind it are allowed, since the user has installed them for automl."""

_OUTSIDE = frozenset(
    # Arguments by which an allowed estimator would write or read files, unpickle a cache or open connections.
    {"memory", "train_dir", "snapshot_file", "save_snapshot", "allow_writing_files"}
    | {"input_model", "output_model", "forcedsplits_filename", "forced_splits", "fs", "forcedbins_filename"}
    | {"machines", "workers", "nodes", "machine_list_filename", "machine_list", "mlist"}
)


@cache
def _plugin_packages() -> frozenset[str]:
    from importlib.metadata import entry_points

    return frozenset(point.module.split(".")[0] for point in entry_points(group=PLUGINS))


def allowed_packages() -> frozenset[str]:
    """Top-level packages whose estimators a file may name: those of `ALLOWED` and of installed plugins."""
    return ALLOWED | _plugin_packages()


def _is_allowed(module: str) -> bool:
    package = module.split(".")[0]
    return package in ALLOWED or package in _plugin_packages()


def check_trust(space: SearchSpace, *, trust: bool, key: str = "search.space") -> None:
    """Refuse what `space` may not name, without importing any of it.

    Args:
        key: where the space stands in the experiment's configuration.

    Raises:
        TrustError: a path leaves the allowed packages, or an argument reaches outside the process.
    """
    if trust:
        return
    for name, algorithm in space.algorithms.items():
        if algorithm.estimator is not None:
            _check_path(algorithm.estimator, key=f"{key}.algorithms.{name}.estimator")
        for argument in (*algorithm.fixed, *algorithm.params):
            if argument in _OUTSIDE and algorithm.fixed.get(argument) is not False:
                part = "fixed" if argument in algorithm.fixed else "params"
                reason = f"{argument} reaches files or other machines; {_GIVE_TRUST}"
                raise TrustError(reason, key=f"{key}.algorithms.{name}.{part}.{argument}")


def check_estimators(space: SearchSpace, *, trust: bool, key: str = "search.space") -> None:
    """Import what `space` names, so that a path that leads nowhere is known before the search.

    Nothing is imported for the paths of the spaces that are shipped, nor where a known package, or the one that an
    entry `requires`, is not installed: these are left out of the search. Other modules have to be there.

    Raises:
        TrustError, SpaceError: as `resolve_estimator`, with the key; SpaceError also for what is not installed.
    """
    shipped = {a.estimator for path in shipped_spaces().values() for a in load_space(path, task="").algorithms.values()}
    for name, algorithm in space.algorithms.items():
        place = f"{key}.algorithms.{name}.estimator"
        if algorithm.estimator is None:
            raise SpaceError("is needed: the import path of an estimator, package.module.Class.", key=place)
        package = algorithm.estimator.partition(".")[0]
        lacks = [module for module in algorithm.needs if not is_installed(module)]
        known = algorithm.requires is not None or package in allowed_packages() or not EXTRAS.keys().isdisjoint(lacks)
        if algorithm.estimator in shipped or (lacks and known):
            continue
        try:
            resolve_estimator(algorithm.estimator, trust=trust)
        except SpaceError as error:
            raise SpaceError(error.message, key=place) from error
        except MissingExtraError as error:
            raise SpaceError(str(error), key=place) from error
        except TrustError as error:
            raise TrustError(error.message, key=place) from error


_GIVE_TRUST = "if you trust this space as you trust code, pass --trust (in Python trust=True)"


def _check_path(path: str, *, key: str | None = None) -> None:
    if any(part.startswith("__") for part in path.split(".")):
        raise TrustError(f"{path} reaches into Python's own attributes", key=key)
    if not _is_allowed(path):
        allowed = ", ".join(sorted(allowed_packages()))
        raise TrustError(f"{path} is outside the allowed packages ({allowed}); {_GIVE_TRUST}", key=key)


def resolve_estimator(path: str, *, trust: bool) -> type[Any]:
    """The estimator class at the import path `path`.

    Without `trust`, the path must begin with an allowed package, and what it leads to must be a class that is
    defined in one. Nothing is called.

    Raises:
        TrustError: the path, or the class behind it, is outside the allowed packages.
        SpaceError: there is no such class, or it is no estimator: it needs ``fit``, ``predict`` and ``get_params``,
            or to be a ``torch.nn.Module``.
        MissingExtraError: its package is not installed.
    """
    module_name, _, name = path.rpartition(".")
    if not module_name or not all(part.isidentifier() for part in path.split(".")):
        raise SpaceError(f"{path!r} is no import path; write package.module.Class")
    if not trust:
        _check_path(path)
    if module_name == "__main__":
        raise SpaceError(f"{path} is part of a script, which workers cannot import: put {name} into a module")
    found = getattr(_import(module_name, path), name, None)
    if found is None:
        near = get_close_matches(name, [other for other in dir(sys.modules[module_name]) if other[0].isupper()], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SpaceError(f"{path} does not exist: the module {module_name} has no {name}{hint}")
    if not inspect.isclass(found):
        refused = SpaceError if trust else TrustError
        raise refused(f"{path} is a {type(found).__name__}, no estimator class")
    if not trust and not _is_allowed(found.__module__):
        raise TrustError(f"{path} is defined in {found.__module__}, outside the allowed packages; {_GIVE_TRUST}")
    missing = [method for method in ("fit", "predict", "get_params") if not callable(getattr(found, method, None))]
    if missing and not _is_net(found):
        raise SpaceError(f"{path} is no estimator: it has no {' and no '.join(missing)}")
    return found


def _is_net(found: type) -> bool:
    """A ``torch.nn.Module``, which automl's training loop makes an estimator of. Asked by name: torch may be absent."""
    return any(
        f"{parent.__module__}.{parent.__qualname__}" == "torch.nn.modules.module.Module" for parent in found.__mro__
    )


def _import(module: str, path: str) -> Any:
    package = module.split(".")[0]
    if not is_installed(package):
        yours = "; run where it lies if it is yours, or add its folder to PYTHONPATH"
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

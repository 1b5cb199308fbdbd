"""Modules that cannot be installed, such as a user's own: what a registered model needs of them becomes part of it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

__all__ = ["is_own", "pickled_by_value", "with_neighbours"]


def is_own(module: str) -> bool:
    """Tell whether a top-level module is neither among the installed packages nor in Python's own library."""
    if module in sys.stdlib_module_names or module in ("__main__", __name__.partition(".")[0]):
        return False
    try:
        spec = find_spec(module)
    except ValueError:  # made, and not imported
        return False
    if spec is None:
        return False
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.has_location and spec.origin else [])]
    return bool(places) and not any(_is_installed(Path(place)) for place in places)


def with_neighbours(modules: Collection[str]) -> set[str]:
    """These top-level modules, and others that have been imported from the same folders: they may use them."""
    if not modules:
        return set()
    folders = {folder for name in modules if (folder := _folder(import_module(name))) is not None}
    loaded = [name for name in [*sys.modules] if "." not in name and _folder(sys.modules[name]) in folders]
    return {*modules, *filter(is_own, loaded)}


@contextmanager
def pickled_by_value(modules: Collection[str]) -> Iterator[None]:
    """Within it, cloudpickle writes out what it meets of these modules, instead of their names."""
    import cloudpickle

    new = {*modules} - cloudpickle.list_registry_pickle_by_value()
    try:
        for name in new:
            cloudpickle.register_pickle_by_value(import_module(name))
        yield
    finally:
        for name in new & cloudpickle.list_registry_pickle_by_value():
            cloudpickle.unregister_pickle_by_value(import_module(name))


def _is_installed(place: Path) -> bool:
    paths = sysconfig.get_paths()
    roots = {Path(paths[name]).resolve() for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    return not roots.isdisjoint(place.resolve().parents)


def _folder(module: object) -> Path | None:
    """Return the folder that a top-level module is in, be it a file or a package; None for what is built in."""
    if places := list(getattr(module, "__path__", ())):
        return Path(places[0]).resolve().parent
    file = getattr(module, "__file__", None)
    return Path(file).resolve().parent if file else None

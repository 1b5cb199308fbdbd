"""Byte code for the processes of an experiment, where the installation holds none.

Many containers set PYTHONDONTWRITEBYTECODE, or install as another user than they run as. Where no user has compiled the
libraries either, each driver, worker and mirror would compile all that it imports, at every start: several times what
the imports themselves take. Python writes each file of byte code under another name first, so that several processes
may fill a cache at the same time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import cache_from_source, find_spec
from pathlib import Path

from automl.engine.workspace.caches import user_cache

__all__ = ["child_environment", "keep_bytecode"]

_LIBRARIES = ("automl", "mlflow", "numpy", "optuna", "pandas", "scipy", "sklearn")
"""Libraries that drivers, workers and the mirror spend most of their start on."""
_PREFIX, _DONT_WRITE = "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE"
_KEPT = 4
"""Installations whose byte code is kept, the latest used: some 50 MB of each."""


def child_environment() -> dict[str, str]:
    """The environment of a process that this one starts: its own, and where to keep byte code."""
    return {**os.environ, **_variables()}


def keep_bytecode() -> None:
    """Let this process, whose own the interpreter is, and all that it starts, keep byte code."""
    variables = _variables()
    if variables:
        os.environ.update(variables)
        sys.pycache_prefix, sys.dont_write_bytecode = variables[_PREFIX], False


@cache
def _variables() -> Mapping[str, str]:
    """Return what has to be set to keep byte code; nothing where Python does that by itself, or cannot at all."""
    if sys.pycache_prefix is not None or _is_compiled():
        return {}
    folder = _folder()
    return {} if folder is None else {_PREFIX: str(folder), _DONT_WRITE: ""}


def _is_compiled() -> bool:
    """Tell whether the libraries have their byte code beside them, or will have it after the first import."""
    for name in _LIBRARIES:
        spec = find_spec(name)
        if spec is None or not spec.has_location or spec.origin is None:
            continue
        compiled = Path(cache_from_source(spec.origin))
        if not compiled.exists() and (sys.dont_write_bytecode or not _is_writable(compiled.parent)):
            return False
    return True


def _is_writable(folder: Path) -> bool:
    return os.access(folder if folder.exists() else folder.parent, os.W_OK)


def _folder() -> Path | None:
    """Return the folder of this installation's byte code; None if others cannot be kept from writing there."""
    place = user_cache() / "bytecode"
    key = f"{os.path.realpath(sys.prefix)} {sys.implementation.cache_tag} {sys.version}"
    folder = place / hashlib.sha256(key.encode()).hexdigest()[:16]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.utime(folder)
        _forget(place, folder)
        return folder if _is_own(place) and _is_own(folder) else None
    except OSError:  # no home, or a full one
        return None


def _is_own(folder: Path) -> bool:
    """Tell whether only this user can write to `folder`: what is in it is executed."""
    if not hasattr(os, "geteuid"):
        return True
    status = folder.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022 and os.access(folder, os.W_OK)


def _forget(place: Path, used: Path) -> None:
    """Delete what installations have left that were not used for the longest time."""
    others = sorted((other for other in place.iterdir() if other != used), key=lambda other: other.stat().st_mtime)
    for other in others[: max(0, len(others) + 1 - _KEPT)]:
        shutil.rmtree(other, ignore_errors=True)

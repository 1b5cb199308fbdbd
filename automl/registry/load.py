"""Fetch a registered model back as the estimator that it is."""

from __future__ import annotations

import re
from typing import Any

from automl.engine.workspace.layout import Workspace
from automl.errors import RegistryError
from automl.registry.candidate import CHAMPION
from automl.registry.model_files import load_estimator
from automl.registry.places import VersionDirectory, find_model

__all__ = ["find_version", "has_model", "load_model"]

_NUMBER = re.compile(r"[1-9][0-9]*")


def load_model(reference: str, workspace: Workspace) -> Any:
    """The fitted estimator of a registered model. A registry is as trusted as code: loading runs what it holds.

    Args:
        reference: see `find_version`.

    Raises:
        RegistryError: there is no such model, or it cannot be loaded.
        DamagedFileError: its record is damaged.
    """
    version = find_version(reference, workspace)
    version.read()
    return load_estimator(version.models)


def has_model(reference: str, workspace: Workspace) -> bool:
    """Tell whether the workspace has any version of the name that a reference begins with."""
    return bool(find_model(workspace, re.split("[/@]", reference.removeprefix("models:/"))[0]).numbers())


def find_version(reference: str, workspace: Workspace) -> VersionDirectory:
    """The version that a reference means.

    Args:
        reference: ``NAME@champion`` or ``NAME/VERSION``, with or without ``models:/``; a bare name means its champion.

    Raises:
        RegistryError: there is none.
        DamagedFileError: which one is the champion cannot be read.
    """
    text = reference.removeprefix("models:/")
    name, slash, version = text.partition("/")
    name, _, alias = (name, "", "") if slash else text.partition("@")
    model = find_model(workspace, name)
    if not model.numbers():
        raise RegistryError(
            f"There is no registered model {name!r} in {workspace.root}; 'automl models list' shows what there is."
        )
    if not slash:
        return _champion(name, alias or CHAMPION, workspace)
    if not _NUMBER.fullmatch(version) or int(version) not in model.numbers():
        raise RegistryError(f"There is no version {version!r} of {name!r}; 'automl models show {name}' lists them.")
    return model.version(int(version))


def _champion(name: str, alias: str, workspace: Workspace) -> VersionDirectory:
    model = find_model(workspace, name)
    if alias != CHAMPION:
        raise RegistryError(f"{name!r} has no alias {alias!r}; use '{CHAMPION}' or a version's number.")
    pointer = model.pointer()
    if pointer is None or pointer.version not in model.numbers():
        raise RegistryError(
            f"{name!r} has no champion; 'automl models promote {name} VERSION' makes one, and 'automl models show "
            f"{name}' lists the versions."
        )
    return model.version(pointer.version)

"""The files of a model: in a trial, and in a version, which keeps them when the trial's are gone."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automl.errors import RegistryError, WorkspaceError
from automl.redact import one_line
from automl.registry.own_modules import pickled_by_value, with_neighbours

__all__ = ["hash_model", "load_estimator", "put_models"]

log = logging.getLogger("automl")

_WHOLE = "model.pkl"
"""All models as one pickle: one in which modules of the user's are written out."""


def hash_model(models: Path) -> str:
    """sha256 over the names and the contents of a trial's models, in hexadecimal.

    Raises:
        RegistryError: there are none.
    """
    files = _models_in(models)
    if not files:
        raise RegistryError(f"The model {models} is not there.")
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def put_models(models: Path, folder: Path, modules: Sequence[str] = ()) -> tuple[str, ...]:
    """Bring a trial's models into the new folder `folder`: as hard links, or as copies where there are none.

    Args:
        modules: those that cannot be installed: what the model has of them is written out, as far as it can be pickled.

    Returns:
        Those of `modules` that have to be on the path nevertheless.

    Raises:
        OSError: the disk is full.
        RegistryError: they cannot be read.
    """
    folder.mkdir()
    own = with_neighbours(modules)
    if own and (problem := _write_out(models, folder / _WHOLE, own)) is None:
        return ()
    for file in _models_in(models):
        try:
            os.link(file, folder / file.name)
        except OSError:  # another file system, or one without links
            shutil.copyfile(file, folder / file.name)
    if own:
        log.warning("the registered model needs %s on the path: %s", ", ".join(sorted(own)), problem)
    return tuple(sorted(own))


def load_estimator(folder: Path) -> Any:
    """The fitted estimator in a version's models. Runs what they hold.

    Raises:
        RegistryError: it cannot be loaded.
    """
    whole = folder / _WHOLE
    try:
        if whole.exists():
            import pickle

            with whole.open("rb") as stream:
                return pickle.load(stream)
        from automl.learning.ensemble.bag import load_bag

        return load_bag(folder)
    except WorkspaceError as error:
        raise RegistryError(str(error)) from error
    except Exception as error:  # unpickling raises anything
        raise RegistryError(f"Cannot load the model in {folder}: {one_line(error)}.") from error


def _models_in(models: Path) -> list[Path]:
    return sorted(models.glob("fold_*.joblib"))


def _write_out(models: Path, path: Path, own: set[str]) -> str | None:
    """Pickle the models with their modules in them; why that cannot be done, None if it was."""
    import cloudpickle

    from automl.learning.ensemble.bag import load_bag

    try:
        estimator = load_bag(models)
        with pickled_by_value(own), path.open("wb") as stream:
            cloudpickle.dump(estimator, stream)
        return None
    except OSError:
        raise
    except Exception as error:  # pickling raises anything
        path.unlink(missing_ok=True)
        return one_line(error)

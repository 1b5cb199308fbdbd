"""Registered models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.workspace.layout import Workspace

if TYPE_CHECKING:
    from automl.registry.candidate import RegisteredModel

__all__ = ["list_models", "load_model", "promote", "register", "show_model"]


def _store(workspace: str | Path | None, uri: str | None) -> str:
    from automl.registry.store import resolve_uri

    return resolve_uri(uri, Workspace.find(workspace))


def list_models(workspace: str | Path | None = None, *, uri: str | None = None) -> list[dict[str, Any]]:
    """All registered models: name, versions, champion, ..."""
    from automl.registry.list import list_models as listed

    return listed(_store(workspace, uri))


def show_model(name: str, workspace: str | Path | None = None, *, uri: str | None = None) -> list[dict[str, Any]]:
    """All versions of a registered model."""
    from automl.registry.list import show_model as shown

    return shown(name, _store(workspace, uri))


def load_model(reference: str, workspace: str | Path | None = None, *, uri: str | None = None) -> Any:
    """A registered model as a fitted scikit-learn estimator.

    A model is loaded by unpickling, so a registry is as trusted as code.

    Args:
        reference: ``NAME``, ``NAME@champion``, ``NAME/VERSION``, or the same behind ``models:/``.

    Raises:
        RegistryError: there is no such model.
    """
    from automl.registry.load import load_model as loaded

    return loaded(reference, _store(workspace, uri))


def register(
    experiment: str | Path,
    *,
    trial: int | None = None,
    name: str | None = None,
    data: Any = None,
    metric: Any = None,
    trust: bool = False,
    workspace: str | Path | None = None,
) -> RegisteredModel:
    """Register the model of an experiment's trial, by default the winner's.

    A trial whose models were deleted is fitted again from its record first.

    Args:
        data: for a trial that is fitted again: the data, if its source is gone.
        metric: the same: functions that the experiment began with.
        trust: let the experiment name a registry on any host, and, for a trial that is fitted again, any class and
            argument.

    Raises:
        RegistryError: the registry cannot be reached.
        WorkspaceError: there is no such trial, it did not complete with full work, or it has no models any more and
            cannot be repeated.
    """
    from automl.config.addresses import admit_addresses
    from automl.config.reader import read_config
    from automl.experiment.result import Result

    directory = Workspace.find(workspace).experiment(experiment)
    admit_addresses(read_config(directory.config)[0], directory, trust=trust)
    return Result.load(directory).register(trial, name=name, data=data, metric=metric, trust=trust)


def promote(name: str, version: int, workspace: str | Path | None = None, *, uri: str | None = None) -> str:
    """Make a version of a registered model the champion. Returns one line that says what was done."""
    from automl.registry.register import promote as promoted

    return promoted(name, version, _store(workspace, uri)).message

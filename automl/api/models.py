"""Registered models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.engine.workspace.layout import Workspace

if TYPE_CHECKING:
    from automl.registry.candidate import RegisteredModel

__all__ = ["list_models", "load_model", "promote", "register", "show_model"]


def list_models(workspace: str | Path | None = None, *, uri: str | None = None) -> list[dict[str, Any]]:
    """All registered models: name, versions, champion, ...

    Args:
        workspace: where they were registered.
        uri: instead of a workspace, an MLflow store.

    Example:
        >>> from automl import api
        >>> [model["name"] for model in api.list_models()]
        ['iris']
    """
    if uri is not None:
        from automl.tracking.remote import list_models as listed_there

        return listed_there(_store(workspace, uri))
    from automl.registry.list import list_models as listed
    from automl.tracking.follower import nudge

    place = Workspace.find(workspace)
    nudge(place)
    return listed(place)


def show_model(name: str, workspace: str | Path | None = None, *, uri: str | None = None) -> list[dict[str, Any]]:
    """All versions of a registered model.

    Args:
        workspace, uri: as for `list_models`.

    Raises:
        RegistryError: there is no such model.

    Example:
        >>> from automl import api
        >>> [version["version"] for version in api.show_model("iris")]
        ['1']
    """
    if uri is not None:
        from automl.tracking.remote import show_model as shown_there

        return shown_there(name, _store(workspace, uri))
    from automl.registry.list import show_model as shown
    from automl.tracking.follower import nudge

    place = Workspace.find(workspace)
    nudge(place)
    return shown(name, place)


def load_model(reference: str, workspace: str | Path | None = None, *, uri: str | None = None) -> Any:
    """A registered model as a fitted scikit-learn estimator.

    A model is loaded by unpickling, so a registry is as trusted as code.

    Args:
        reference: ``NAME``, ``NAME@champion``, ``NAME/VERSION``, or the same behind ``models:/``.
        workspace: where it was registered.
        uri: an MLflow store, which is asked for a name that the workspace does not have.

    Raises:
        RegistryError: there is no such model.

    Example:
        >>> model = automl.load_model("iris@champion")
        >>> model.predict([[5.1, 3.5, 1.4, 0.2]])
        array(['setosa'], dtype=object)
    """
    from automl.registry.load import has_model
    from automl.registry.load import load_model as loaded

    place = Workspace.find(workspace)
    if uri is not None and not has_model(reference, place):
        from automl.tracking.remote import load_model as loaded_from_there

        return loaded_from_there(reference, _store(workspace, uri))
    return loaded(reference, place)


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
    """Register the model of an experiment's trial, by default the winner's. MLflow is told in the background.

    A trial whose models were deleted is fitted again from its record first.

    Args:
        data: for a trial that is fitted again: the data, if its source is gone.
        metric: the same: functions that the experiment began with.
        trust: let the experiment name a registry on any host, and, for a trial that is fitted again, any class and
            argument.

    Raises:
        RegistryError: the model cannot be registered.
        WorkspaceError: there is no such trial, it did not complete with full work, or it no longer has models and
            cannot be repeated.

    Example:
        >>> from automl import api
        >>> api.register("iris", trial=0, name="flowers").version   # doctest: +SKIP
        '1'
    """
    from automl.config.addresses import admit_addresses
    from automl.config.reader import read_config
    from automl.experiment.result import Result

    directory = Workspace.find(workspace).experiment(experiment)
    admit_addresses(read_config(directory.config)[0], directory, trust=trust)
    return Result.load(directory).register(trial, name=name, data=data, metric=metric, trust=trust)


def promote(name: str, version: int, workspace: str | Path | None = None, *, uri: str | None = None) -> str:
    """Make a version of a registered model the champion. Return one line that says what was done.

    Args:
        workspace, uri: as for `list_models`. MLflow is told of a workspace's champion in the background.

    Example:
        >>> from automl import api
        >>> print(api.promote("iris", 1))   # doctest: +SKIP
        iris version 1 is the champion.
    """
    if uri is not None:
        from automl.tracking.remote import promote as promoted_there

        return promoted_there(name, version, _store(workspace, uri)).message
    from automl.experiment.models.registration import promote as promoted

    return promoted(name, version, Workspace.find(workspace)).message


def _store(workspace: str | Path | None, uri: str) -> str:
    from automl.tracking.store import resolve_uri

    return resolve_uri(uri, Workspace.find(workspace))

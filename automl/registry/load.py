"""Fetch a registered model back as the estimator that it is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.errors import RegistryError
from automl.registry.candidate import CHAMPION
from automl.registry.store import describe, open_client, quiet

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["load_model"]


def load_model(reference: str, tracking_uri: str) -> Any:
    """The fitted estimator of a registered model. A registry is as trusted as code: loading runs what it holds.

    Args:
        reference: ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``, with or without ``models:/``; a bare name
            means its champion.
        tracking_uri: the MLflow store.

    Raises:
        RegistryError: there is no such model, or it cannot be loaded.
    """
    client = open_client(tracking_uri)
    with quiet():
        import mlflow.artifacts
        import mlflow.sklearn
        from mlflow.exceptions import MlflowException

        try:
            source = _source(client, reference.removeprefix("models:/"))
        except MlflowException as error:
            raise RegistryError(
                f"There is no registered model {reference!r}: {describe(error)}. "
                "'automl models list' shows what there is."
            ) from error
        with tempfile.TemporaryDirectory(prefix="automl-load-") as scratch:
            local = source.startswith("file:") or "://" not in source
            try:
                folder = mlflow.artifacts.download_artifacts(
                    artifact_uri=source, dst_path=None if local else scratch, tracking_uri=tracking_uri
                )
                return mlflow.sklearn.load_model(str(Path(folder)))
            except Exception as error:  # unpickling raises anything
                raise RegistryError(f"Cannot load {reference!r}: {describe(error)}.") from error


def _source(client: MlflowClient, reference: str) -> str:
    name, slash, version = reference.partition("/")
    if not slash:
        name, _, alias = reference.partition("@")
        version = str(client.get_model_version_by_alias(name, alias or CHAMPION).version)
    return str(client.get_model_version_download_uri(name, version))

"""The door to MLflow: which store, and how to open it without its chatter."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import RegistryError, WorkspaceError
from automl.redact import one_line, redact_message
from automl.tracking.database import ensure_database, sqlite_path

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["experiment_of", "hush", "is_local", "open_client", "quiet", "redacted", "resolve_uri", "why"]

_CHATTER = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
_SERVERS = ("http", "https", "databricks")


def resolve_uri(uri: str | None, workspace: Workspace) -> str:
    """The tracking URI that `uri` means; by default sqlite in the workspace.

    Raises:
        WorkspaceError: the workspace's path cannot be part of a URI that MLflow reads.
    """
    if uri is None:
        path = workspace.mlflow_database
        if odd := set(str(path)) & set("%?#"):
            raise WorkspaceError(
                f"MLflow cannot keep its files in {workspace.root}: the path holds {' and '.join(sorted(odd))}. "
                "Choose another workspace, or set tracking.uri."
            )
        return f"sqlite:///{path}"
    uri = uri.replace("://***@", "://")  # what a record has of a password; MLFLOW_TRACKING_PASSWORD may still hold it
    path_of = sqlite_path(uri)
    return uri if path_of is None else f"sqlite:///{path_of.absolute()}"


def is_local(uri: str) -> bool:
    """Tell whether a store is not a server, and so answers as long as this machine does."""
    return urlsplit(uri).scheme not in _SERVERS


def why(error: BaseException) -> str:
    """Say in a clause what is wrong with a store. HTTP clients wrap the cause in several layers."""
    cause = one_line(error).rpartition("Caused by ")[2]
    inner = cause.rpartition("): ")[2] or cause
    return inner.partition(". (")[0].strip("\"'() ") if inner != cause else cause


def redacted(text: str) -> str:
    """`text` without the credentials of the URLs in it."""
    return redact_message(text)


def hush() -> None:
    """Switch MLflow's telemetry off. It reads the environment when it is imported."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No telemetry, no progress bars, no printed links and no log lines of MLflow and Alembic in this block."""
    hush()
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    before = {name: os.environ.get(name) for name in _CHATTER}
    os.environ.update(_CHATTER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import mlflow  # noqa: F401 - configures its loggers at import: only then can they be turned down

            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def open_client(uri: str) -> MlflowClient:
    """A client of the store at `uri`, for runs and models alike. A sqlite database that is not there is created.

    Raises:
        RegistryError: the store cannot be opened.
    """
    with quiet():
        from mlflow import MlflowClient

        if (path := sqlite_path(uri)) is not None:
            ensure_database(path)
        try:
            return MlflowClient(uri, uri)
        except Exception as error:  # database drivers and HTTP clients raise their own types
            raise RegistryError(f"Cannot open the MLflow store {redacted(uri)}: {one_line(error)}.") from error


def experiment_of(client: MlflowClient, directory: ExperimentDirectory, uri: str) -> str:
    """The id of the MLflow experiment with the name of ours, created if there is none.

    Runs of a database that we talk to directly keep their files beside it; a tracking server chooses for itself.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(directory.name)
    if found is None:
        try:
            return str(client.create_experiment(directory.name, artifact_location=_artifacts(directory, uri)))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.get_experiment_by_name(directory.name)  # another process was faster
        assert found is not None
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _artifacts(directory: ExperimentDirectory, uri: str) -> str | None:
    if urlsplit(uri).scheme in (*_SERVERS, "file", ""):
        return None
    path = sqlite_path(uri)
    root: Path = directory.workspace.root if path is None else path.parent
    return (root / "mlartifacts" / directory.name).as_uri()

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from automl.engine.workspace.layout import Workspace
from automl.errors import WorkspaceError
from automl.tracking.database import ensure_database
from automl.tracking.remote import list_models
from automl.tracking.store import open_client, redacted, resolve_uri, why


def test_those_who_create_one_database_at_once_share_it(uri: str, home: Workspace) -> None:
    together = threading.Barrier(4)
    made: list[int] = []

    def create() -> None:
        together.wait()
        ensure_database(home.mlflow_database)
        made.append(home.mlflow_database.stat().st_ino)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 4
    assert len(set(made)) == 1  # nobody replaced what another one may be writing to
    assert open_client(uri).create_experiment("usable")


def test_a_local_database_keeps_a_write_ahead_log(uri: str, home: Workspace) -> None:
    open_client(uri)
    connection = sqlite3.connect(home.mlflow_database)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_looking_at_an_empty_workspace_creates_nothing(uri: str, home: Workspace) -> None:
    assert list_models(uri) == []
    assert not home.root.exists()


def test_a_relative_database_stays_where_the_caller_meant_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Workspace
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_uri("sqlite:///runs.db", home) == f"sqlite:///{tmp_path / 'runs.db'}"
    assert resolve_uri("http://server:5000", home) == "http://server:5000"


def test_a_workspace_that_mlflow_cannot_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="path holds %"):
        resolve_uri(None, Workspace(tmp_path / "100%"))


def test_credentials_are_not_shown() -> None:
    assert redacted("cannot reach http://me:secret@host:5000/x") == "cannot reach http://***@host:5000/x"


REFUSED = (
    "API request to http://h:9/api failed with exception HTTPConnectionPool(host='h', port=9): Max retries exceeded "
    "with url: /api (Caused by NewConnectionError(\"HTTPConnection(host='h', port=9): Failed to establish a new "
    'connection: [Errno 111] Connection refused"))'
)
SILENT = "API request failed with exception HTTPConnectionPool(host='h', port=9): Read timed out. (read timeout=10)"


@pytest.mark.parametrize(
    ("said", "clause"),
    [
        (REFUSED, "Failed to establish a new connection: [Errno 111] Connection refused"),
        (SILENT, "Read timed out"),
        ("(sqlite3.OperationalError) database or disk is full", "(sqlite3.OperationalError) database or disk is full"),
    ],
)
def test_what_is_wrong_with_a_store_is_a_clause(said: str, clause: str) -> None:
    assert why(RuntimeError(said)) == clause

"""Start the follower, and wait for it where that is needed. Nothing here imports MLflow."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from automl.engine.workspace.layout import Workspace
from automl.engine.workspace.lock import is_held
from automl.errors import WorkspaceError
from automl.tracking.environment import mirror_environment
from automl.tracking.owed import owed

__all__ = ["nudge", "start_follower", "wait_for_follower"]

_REST = 60.0
"""Seconds of rest for something that could not be brought: a server that is down is not asked at every command."""


def nudge(workspace: Workspace) -> None:
    """Start the follower if MLflow is owed something. Costs a look into one folder where nothing is owed."""
    if owed(workspace, rest=_REST) and not is_following(workspace):
        start_follower(workspace)


def start_follower(workspace: Workspace, uri: str = "") -> None:
    """Start the follower, detached: it continues when this process has ended. Returns at once.

    Args:
        uri: the store as this process knows it: a user and a password in it are handed down.

    Raises:
        WorkspaceError: it cannot be started.
    """
    environment = mirror_environment()
    parts = urlsplit(uri)
    if parts.username:
        environment["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
        environment["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password or "")
    try:
        with (workspace.owed / "follow.log").open("ab") as said:
            process = subprocess.Popen(
                _command(workspace),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=workspace.root,
                env=environment,
                start_new_session=True,
            )
    except OSError as error:
        raise WorkspaceError(f"MLflow cannot be told in the background: {error.strerror or error}.") from error
    threading.Thread(target=process.wait, name="automl-follower", daemon=True).start()  # or it would stay as a zombie


def is_following(workspace: Workspace) -> bool:
    """Tell whether the follower is at work."""
    return is_held(workspace.owed / ".lock")


def wait_for_follower(workspace: Workspace, seconds: float) -> bool:
    """Wait until MLflow is owed nothing, and start the follower as often as that takes. False if time is over."""
    ends = time.monotonic() + seconds
    while owed(workspace):
        if time.monotonic() >= ends:
            return False
        if not is_following(workspace):
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(
                    _command(workspace),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    cwd=workspace.root,
                    env=mirror_environment(),
                    timeout=max(1.0, ends - time.monotonic()),
                    check=False,
                )
        time.sleep(0.2)
    return True


def _command(workspace: Workspace) -> list[str]:
    return [sys.executable, "-P", "-m", "automl.tracking.follow", str(workspace.root)]

"""What tests of experiments share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from automl.engine.workspace.layout import Workspace


@pytest.fixture
def _followed(workspace: Path) -> Iterator[None]:
    """Somebody else tells MLflow what a test registers: whom the registration starts for that sees it, and ends."""
    place = Workspace(workspace).owed
    place.mkdir(parents=True)
    with FileLock(place / ".lock"):
        yield

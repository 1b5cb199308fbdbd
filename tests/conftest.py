"""What all tests share: nothing they do reaches a person's own workspace or the network."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The machine that runs the tests may be slow and shared: how long an example takes says nothing about it.
settings.register_profile("automl", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
settings.load_profile("automl")


@pytest.fixture(autouse=True, scope="session")
def _quiet_libraries() -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The command line sets up the logger for its process; a test that runs it must not do so for the others."""
    logger = logging.getLogger("automl")
    before = logger.level, logger.propagate, logger.handlers[:]
    yield
    logger.setLevel(before[0])
    logger.propagate, logger.handlers[:] = before[1], before[2]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of the test's own, which $AUTOML_HOME names."""
    home = tmp_path / "automl_home"
    monkeypatch.setenv("AUTOML_HOME", str(home))
    return home

"""What all tests share: nothing they do reaches a person's own workspace or the network."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

# The machine that runs the tests may be slow and shared: how long an example takes says nothing about it.
settings.register_profile("automl", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25)
settings.register_profile("thorough", settings.get_profile("automl"), max_examples=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "automl"))

_LONG = ("", "experiment", "engine/execution", "tracking", "testing", "engine/proposers", "registry", "cli")
"""Folders whose files start processes, and take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let long files begin first: at the end no worker of pytest-xdist should be left alone with one of them."""
    items.sort(key=lambda item: _begins(item.path.parent))


def _begins(folder: Path) -> int:
    place = folder.relative_to(Path(__file__).parent).as_posix().removeprefix(".")
    return _LONG.index(place) if place in _LONG else len(_LONG)


@pytest.fixture(autouse=True, scope="session")
def _quiet_libraries() -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")


@pytest.fixture(autouse=True, scope="module")
def _one_thread_each() -> Iterator[None]:
    """What trains in the tests' own process has a core: beside other tests, threads would wait for each other, busily.

    A trial sets what it was given itself, and so does every process that a test starts. For each file anew, since what
    a trial has set may stay.
    """
    import sklearn.utils  # noqa: F401 - it brings the pool of threads that waits longest

    with threadpool_limits(1):
        yield


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


@pytest.fixture(scope="session")
def empty_databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's empty database, once the first test has had to make one: that takes seconds."""
    return tmp_path_factory.mktemp("databases")


@pytest.fixture(autouse=True)
def cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, empty_databases: Path
) -> Iterator[Path]:
    """A cache of the test's own, with nothing but such a database at most, and no data directory."""
    folder = tmp_path_factory.mktemp("cache") / "automl"
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(folder))
    monkeypatch.delenv("AUTOML_DATA_DIR", raising=False)
    _copy_databases(empty_databases, folder)
    yield folder
    _copy_databases(folder, empty_databases)


def _copy_databases(source: Path, target: Path) -> None:
    for made in source.glob("mlflow-*.db"):
        if not (target / made.name).exists():
            target.mkdir(exist_ok=True)
            shutil.copy(made, target)


_NVML = r"""
#include <string.h>
struct device { const char *uuid; unsigned long long free; unsigned busy; } devices[] = {
    {"GPU-a", 8000000000ULL, 25}, {"GPU-b", 5000000000ULL, 75}};
struct memory { unsigned long long total, free, used; };
struct utilization { unsigned gpu, memory; };
int ready = 0;
int nvmlInit_v2(void) { ready = 1; return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return ready ? 0 : 1; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct device **device) {
    if (!ready || index > 1) return 2;
    *device = &devices[index];
    return 0;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, struct device **device) {
    for (int i = 0; i < 2; i++) if (ready && !strcmp(uuid, devices[i].uuid)) { *device = &devices[i]; return 0; }
    return 2;
}
int nvmlDeviceGetUUID(struct device *device, char *uuid, unsigned length) {
    if (length < 80) return 7;
    strcpy(uuid, device->uuid);
    return 0;
}
int nvmlDeviceGetMemoryInfo(struct device *device, struct memory *memory) {
    memory->total = 9000000000ULL; memory->free = device->free; memory->used = memory->total - memory->free;
    return 0;
}
int nvmlDeviceGetUtilizationRates(struct device *device, struct utilization *rates) {
    rates->gpu = device->busy; rates->memory = 0;
    return 0;
}
"""


@pytest.fixture(scope="session")
def two_gpus_by_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for LD_LIBRARY_PATH, with a library that has NVML's signatures and says that there are two GPUs."""
    if shutil.which("cc") is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler, or no Linux")
    folder = tmp_path_factory.mktemp("nvml")
    (folder / "nvml.c").write_text(_NVML)
    command = ["cc", "-shared", "-fPIC", "-o", str(folder / "libnvidia-ml.so.1"), str(folder / "nvml.c")]
    subprocess.run(command, check=True, capture_output=True)
    return folder

"""The processes of an experiment, by what they do: which to kill, and which must not outlive it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

import psutil

from automl.engine.execution.reap import is_alive

__all__ = ["MARK", "TARGETS", "processes_of"]

MARK = "AUTOML_CHAOS"
"""The environment variable that a driver is given: all that it starts inherits it."""

Finder = Callable[[int, Sequence[psutil.Process]], Sequence[psutil.Process]]


def processes_of(mark: str) -> list[psutil.Process]:
    """Every live process that carries `mark`, oldest first."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and is_alive(process):
                found.append(process)
    return sorted(found, key=lambda process: process.create_time())


def _running(module: str) -> Finder:
    """Processes that were started as ``python -m module``."""
    return lambda driver, processes: [p for p in processes if module in _words(p)]


def _called(*names: str) -> Finder:
    """Processes whose program, or the title that they have given themselves, begins so."""
    return lambda driver, processes: [p for p in processes if _program(p).startswith(names)]


def _driver(driver: int, processes: Sequence[psutil.Process]) -> Sequence[psutil.Process]:
    return [p for p in processes if p.pid == driver]


def _everything(driver: int, processes: Sequence[psutil.Process]) -> Sequence[psutil.Process]:
    return processes


TARGETS: Mapping[str, Finder] = {
    "driver": _driver,
    "worker": _running("automl.engine.execution.worker"),
    "ray worker": _called("ray::"),
    "ray head": _called("gcs_server"),
    "raylet": _called("raylet"),
    "mirror": _running("automl.tracking.mirror"),
    "follower": _running("automl.tracking.follow"),
    "everything": _everything,
}
"""By name: takes the driver's process id and all processes of the experiment, and gives those that match."""


def _words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


def _program(process: psutil.Process) -> str:
    words = _words(process)
    return words[0].rpartition("/")[2] if words else ""

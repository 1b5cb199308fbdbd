"""End a worker and everything that it has started.

A worker's descendants are found in three ways, since each can be escaped: its process group, its children and
theirs, and an environment variable, which all inherit that begin another program, also those that were re-parented
or have a session of their own.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

__all__ = ["MARK", "end_self", "is_alive", "kill_tree", "nested_mark"]

MARK = "AUTOML_WORKER"
"""The environment variable: the marks of the worker and of those around it, separated by commas."""

_TERM_SECONDS = 0.1
"""Seconds that descendants may take to obey SIGTERM."""
_ROUNDS = 5
"""A process that forks while it is being looked for is found in the next round."""


def nested_mark(mark: str) -> str:
    """The variable's value for the worker `mark`, started by this process or this process itself."""
    outer = os.environ.get(MARK)
    return mark if outer is None else outer if mark in outer.split(",") else f"{outer},{mark}"


def kill_tree(
    marks: Collection[str],
    workers: Collection[int] = (),
    groups: Collection[int] = (),
    known: Collection[psutil.Process] = (),
) -> None:
    """Kill workers at once; their descendants get SIGTERM first, and SIGKILL a moment later.

    Args:
        marks: what the workers and their descendants carry in the environment.
        workers: ids of processes that are certainly the workers, or dead and not yet waited for.
        groups: ids of process groups that belong to the workers.
        known: processes that were seen to descend from the workers.
    """
    import psutil

    for round_ in range(_ROUNDS):
        heads = _alive(workers) if round_ == 0 else []
        descendants = _descendants(heads, set(marks), set(groups), known if round_ == 0 else ())
        for head in heads:
            _kill_worker(head)
        if not descendants:
            return
        for process in descendants:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, deaf = psutil.wait_procs(descendants, timeout=_TERM_SECONDS if round_ == 0 else 0)
        for process in deaf:
            with contextlib.suppress(psutil.Error):
                process.kill()


def end_self(mark: str) -> None:
    """Kill all descendants of this process, and then this process and its group."""
    try:
        kill_tree({mark})
    finally:
        if os.name == "posix" and os.getpgid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)


def _alive(pids: Collection[int]) -> list[psutil.Process]:
    import psutil

    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            found.append(psutil.Process(pid))
    return found


def _descendants(
    heads: list[psutil.Process], marks: set[str], groups: set[int], known: Collection[psutil.Process]
) -> list[psutil.Process]:
    import psutil

    spared = {os.getpid(), *(head.pid for head in heads)}
    found = {process.pid: process for process in known}
    for head in heads:
        with contextlib.suppress(psutil.Error):
            found.update((child.pid, child) for child in head.children(recursive=True))
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            grouped = bool(groups) and os.getpgid(process.pid) in groups
            if grouped or not marks.isdisjoint(process.environ().get(MARK, "").split(",")):
                found[process.pid] = process
    return [process for pid, process in found.items() if pid not in spared and is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs: not if it is gone, or dead and not waited for."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill_worker(worker: psutil.Process) -> None:
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        if os.name == "posix" and os.getpgid(worker.pid) == worker.pid:
            os.killpg(worker.pid, signal.SIGKILL)
        else:
            worker.kill()

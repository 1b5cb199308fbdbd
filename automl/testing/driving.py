"""Drive an executor in a test, and wait for what should happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from automl.engine.execution.base import Event, Executor
from automl.engine.trial.contract import Device, Report, TrialResult, TrialSpec

__all__ = ["PATIENCE", "is_gone", "results_of", "run_trials", "until_exists", "wait_for"]

PATIENCE = 60.0
"""Seconds after which something that should happen counts as not happening."""


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until `condition` holds.

    Raises:
        AssertionError: it does not hold within `seconds`.
    """
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"not within {seconds} s"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """True if there is no such process, or a dead one that has not been waited for."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def run_trials(
    executor: Executor, *specs: TrialSpec, on_report: Callable[[Report], None] = lambda report: None
) -> list[Event]:
    """Submit `specs`, as many at a time as there are slots; all events until each has its result."""
    waiting, running, events = list(specs), dict[int, Device](), list[Event]()
    ends = time.monotonic() + PATIENCE
    while waiting or running:
        assert time.monotonic() < ends, f"no result of {sorted(running)} within {PATIENCE} s; events: {events}"
        for spec in list(waiting):
            device = spec.resources.device
            if list(running.values()).count(device) < executor.slots_on(device) and len(running) < executor.slots:
                running[spec.number] = device
                waiting.remove(spec)
                executor.submit(spec)
        for event in executor.wait(1.0):
            events.append(event)
            if isinstance(event, Report):
                on_report(event)
            else:
                del running[event.number]
    return events


def until_exists(executor: Executor, path: Path) -> list[Event]:
    """Let `executor` run until a trial has written `path`; what happened meanwhile."""
    events: list[Event] = []
    ends = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < ends, f"no {path} within {PATIENCE} s"
        events.extend(executor.wait(0.05))
    return events


def results_of(executor: Executor, count: int) -> dict[int, TrialResult]:
    """Let `executor` run until at least `count` trials have ended; their results by number."""
    results: dict[int, TrialResult] = {}
    ends = time.monotonic() + PATIENCE
    while len(results) < count:
        assert time.monotonic() < ends, f"{len(results)} of {count} results within {PATIENCE} s"
        for event in executor.wait(0.2):
            if isinstance(event, TrialResult):
                assert event.number not in results, f"trial {event.number} ended twice"
                results[event.number] = event
    return results

"""A process that does not get to its own clock within its time budget: on a busy machine imports alone take seconds.

What watches a budget to its end has to be imported first. Until then a thread does it that needs next to nothing.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from automl.deadline import Deadline, tolerance
from automl.errors import TimeBudgetError

__all__ = ["SHARE", "check_start", "hand_over", "start_took", "watch_start"]

SHARE = 0.5
"""Of the tolerance: how long a process whose budget is over may take to end by itself. The rest is for last words."""

_handed_over = threading.Event()


def watch_start(find: Callable[[], Deadline | None]) -> None:
    """End this process with a sentence once its budget and half of the tolerance are over; `hand_over` calls it off.

    Args:
        find: the process's clock; None if there is no limit. Called in a thread, so that it may wait for a disk.
    """
    threading.Thread(target=_watch, args=(find,), name="automl-start", daemon=True).start()


def hand_over() -> None:
    """Start-up is over: from now on something else watches the clock, or has no reason to."""
    _handed_over.set()


def check_start(deadline: Deadline) -> None:
    """Look at the clock between two steps of start-up.

    Raises:
        TimeBudgetError: the budget is over, and nothing has begun.
    """
    if deadline.passed():
        raise TimeBudgetError(start_took(deadline))


def start_took(deadline: Deadline) -> str:
    """Describe a budget that was over before anything could begin."""
    took = deadline.spent() - deadline.used
    before = f", of which earlier sessions had used {deadline.used:.1f} s" if deadline.used else ""
    return (
        f"Start-up alone took {took:.1f} s of a budget of {deadline.budget:g} s{before}, so no trial could begin; "
        "write a larger --time-budget (limits.time_budget)."
    )


def _watch(find: Callable[[], Deadline | None]) -> None:
    deadline = find()
    if deadline is None or not deadline.limited:
        return
    left = deadline.budget + SHARE * tolerance(deadline.budget) - deadline.spent()
    if _handed_over.wait(max(0.0, left)):
        return
    if sys.__stderr__ is not None:
        with suppress(OSError):  # it has no reader
            os.write(2, f"automl: {start_took(deadline)}\n".encode())
    os._exit(2)

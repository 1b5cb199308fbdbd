"""The clock of an experiment: kept on disk, second by second, to the end of its process."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from automl.deadline import Deadline
from automl.engine.trial.records import read_result
from automl.engine.workspace.atomic import read_json, write_json
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import AutomlError, DamagedFileError, WorkspaceError
from automl.experiment.results.summary import Summary

__all__ = ["kept_clock", "mark_used", "seconds_used"]

_TICK = 1.0
"""Seconds between two marks: what a kill can lose of the clock."""
_LONGEST = 10 * 365 * 86400.0
"""Seconds that no experiment takes: ten years."""


def seconds_used(directory: ExperimentDirectory) -> float:
    """Seconds of the experiment's clock that earlier sessions have used.

    Where clock.json is missing the records prove how much it is at least.

    Raises:
        WorkspaceError: clock.json cannot be read, or holds a reading that no clock can have. Time that was used
            is never given again, so nothing replaces it.
    """
    path = directory.clock
    if not path.is_symlink() and not path.exists():
        return _proved(directory)
    try:
        return _elapsed(read_json(path).get("elapsed"))
    except (DamagedFileError, ValueError) as error:
        why = str(error).rstrip(".").removeprefix(f"{path} ")
        raise WorkspaceError(
            f"{path} does not say how much time was used ({why}). Write "
            '{"elapsed": SECONDS} into it, with the total that all sessions have used; '
            f"the records prove {_proved(directory):g} s."
        ) from None


def _elapsed(value: Any) -> float:
    """Read a number of seconds.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it holds no number of seconds, 'elapsed'")
    if not 0 <= value <= _LONGEST:  # nor is NaN
        raise ValueError(f"'elapsed' is {value:.6g} s" if isinstance(value, float) else "'elapsed' is out of range")
    return float(value)


def _proved(directory: ExperimentDirectory) -> float:
    """The latest reading of the clock in any record of the experiment."""
    readings = [0.0]
    for number in directory.trial_numbers():
        result = read_result(directory.trial(number))
        readings.append(0.0 if result is None else result.elapsed)
    with suppress(AutomlError):
        summary = Summary.read(directory)
        readings.append(0.0 if summary is None else summary.seconds)
    return max(reading for reading in readings if math.isfinite(reading))


def mark_used(directory: ExperimentDirectory, elapsed: float) -> None:
    """Note how far the experiment's clock has come."""
    write_json(directory.clock, {"elapsed": round(elapsed, 3)})


@contextmanager
def kept_clock(directory: ExperimentDirectory, deadline: Deadline) -> Iterator[None]:
    """Mark the clock every second for the length of a `with` block, whatever happens in it, and at its end.

    A thread does it. Only for the holder of the experiment's lock.
    """

    def mark() -> None:
        with suppress(WorkspaceError):  # a full disk: whatever fails because of it says so better
            mark_used(directory, deadline.spent())

    def keep() -> None:
        while not ends.wait(_TICK):
            mark()

    ends = threading.Event()
    mark()
    keeper = threading.Thread(target=keep, name="automl-clock", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ends.set()
        keeper.join()
        mark()

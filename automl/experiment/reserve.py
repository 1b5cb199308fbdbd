"""Seconds that a search has to leave for what comes after it, learned from the timings of this same experiment."""

from __future__ import annotations

from automl.deadline import Deadline

__all__ = ["REGISTERING", "WAY_OUT", "Reserve"]

WAY_OUT = 0.5
"""Seconds for what neither the registry nor the executor does: result.json, printing, leaving."""
_SLOWEST = 3.0
"""A machine that is this many times slower than alone, or slower, has three times the way out."""
_TELLING = 0.2
"""Seconds of work from which it can be told how busy the machine is."""
REGISTERING, _LINKED_PER_SECOND = 0.2, 2e8
"""Seconds for writing a version into the workspace, on a busy disk; and bytes of a model that are hashed in one."""
_CATCH_UP_SHARE = 0.1
"""MLflow is derived and can be completed later: this much of a budget is the most that waiting for it is worth."""


class Reserve:
    """The time kept for registering the winner, testing it, and closing the executor; and for MLflow, where that fits.

    Args:
        deadline: the experiment's clock.
        registers: whether a model is to be registered.
    """

    def __init__(self, deadline: Deadline, *, registers: bool) -> None:
        self._deadline, self._registers = deadline, registers
        self._registering = self._closing = self._catching_up = self._testing = 0.0
        self._way_out = WAY_OUT

    def work_took(self, seconds: float, *, cpu: float) -> None:
        """Note that work of one thread took `seconds`, of which it had `cpu` to itself: how busy the machine is."""
        if seconds >= _TELLING:
            self._way_out = WAY_OUT * min(max(1.0, seconds / max(cpu, 1e-9)), _SLOWEST)

    def model_found(self, size: int) -> None:
        """Note that there is something of `size` bytes to register: until then, the time belongs to finding it."""
        if self._registers:
            self._registering = REGISTERING + size / _LINKED_PER_SECOND

    def closing_takes(self, seconds: float) -> None:
        """Note that the executor needs `seconds` to end."""
        self._closing = seconds

    def testing_takes(self, seconds: float) -> None:
        """Note that scoring the winner on the test rows needs `seconds`."""
        self._testing = seconds

    def catching_up_takes(self, seconds: float) -> None:
        """Note that MLflow needs `seconds` for the trials that it lacks."""
        self._catching_up = seconds

    def plan(self) -> dict[str, float]:
        """Return the seconds that are kept for each phase after the search."""
        return {
            "test": self._way_out + self._testing,
            "register": self._registering,
            "close": self._closing,
            "mirror": self._catching_up,
        }

    def seconds(self) -> float:
        """Seconds of the budget that the search may not touch."""
        wanted = self._way_out + self._testing + self._registering + self._closing
        if not self._deadline.limited:
            return wanted
        return wanted + min(self._catching_up, _CATCH_UP_SHARE * self._deadline.budget)

"""Seconds that a search has to leave for what comes after it, learned from the timings of this very experiment."""

from __future__ import annotations

from automl.deadline import Deadline

__all__ = ["COLD_REGISTRATION", "WAY_OUT", "Reserve"]

WAY_OUT = 0.5
"""Seconds for what neither the registry nor the executor does: test scores, result.json, printing, leaving."""
_SLOWEST = 3.0
"""A machine that is this many times slower than alone, or slower, has three times the way out."""
_TELLING = 0.2
"""Seconds of work from which it can be told how busy the machine is."""
COLD_REGISTRATION = 6.0
"""Seconds that are kept for a registration as long as nothing is known of it: MLflow's import is among them."""
_LARGEST_SHARE = 0.4
"""A budget too small for registration is better spent on the model: the reserve never takes more than this of it."""

_CATCH_UP_SHARE = 0.1
"""MLflow is derived and can be completed later: this much of a budget is the most that waiting for it is worth."""


class Reserve:
    """What to keep for closing the executor and, at the same time, registering the winner in another process.

    Args:
        deadline: the experiment's clock.
        registers: whether a model is to be registered.
    """

    def __init__(self, deadline: Deadline, *, registers: bool) -> None:
        self._deadline = deadline
        self._registering = COLD_REGISTRATION if registers else 0.0
        self._closing = self._catching_up = self._testing = 0.0
        self._way_out = WAY_OUT
        self._has_model = False

    def work_took(self, seconds: float, *, cpu: float) -> None:
        """Work of one thread took `seconds` of which it had `cpu` to itself: so busy is the machine."""
        if seconds >= _TELLING:
            self._way_out = WAY_OUT * min(max(1.0, seconds / max(cpu, 1e-9)), _SLOWEST)

    def model_found(self) -> None:
        """There is something to register: until then, the time belongs to finding it."""
        self._has_model = True

    def registration_takes(self, seconds: float) -> None:
        """The registry has told, or was measured, to need `seconds`."""
        self._registering = seconds

    def closing_takes(self, seconds: float) -> None:
        """The executor needs `seconds` to end."""
        self._closing = seconds

    def testing_takes(self, seconds: float) -> None:
        """Scoring the winner on the test rows needs `seconds`."""
        self._testing = seconds

    def catching_up_takes(self, seconds: float) -> None:
        """MLflow needs `seconds` for the trials that it lacks."""
        self._catching_up = seconds

    def plan(self) -> dict[str, float]:
        """What is kept for each phase after the search, in seconds."""
        return {
            "test": self._way_out + self._testing,
            "close": self._closing,
            "register": self._registering,
            "mirror": self._catching_up,
        }

    def seconds(self) -> float:
        """Seconds of the budget that the search may not touch."""
        ending = self._way_out + self._testing
        wanted = ending + max(self._closing, self._registering if self._has_model else 0.0)
        if not self._deadline.limited:
            return wanted
        most = ending + max(self._closing, _LARGEST_SHARE * self._deadline.budget)
        return min(wanted + min(self._catching_up, _CATCH_UP_SHARE * self._deadline.budget), most)

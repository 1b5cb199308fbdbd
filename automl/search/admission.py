"""Whether a trial would end in time, learned from this very experiment."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from statistics import median

from automl.trial.contract import Status, TrialResult

__all__ = ["Admission"]

_REMEMBERED = 8
_MARGIN = 1.25
"""Trials of one algorithm differ; this much more than the slowest of the latest is reckoned with."""


class Admission:
    """Predicts a trial's seconds per algorithm.

    Args:
        costs: relative cost of a trial by algorithm: what is reckoned with before an algorithm was tried.
    """

    def __init__(self, costs: Mapping[str, float]) -> None:
        self._costs = costs
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def observe(self, result: TrialResult) -> None:
        if result.status in (Status.COMPLETED, Status.TIMED_OUT, Status.CANCELLED):
            self._seconds[result.algorithm].append(result.seconds)

    def predict(self, algorithm: str) -> float | None:
        """Seconds that a trial of `algorithm` is likely to need at most; None as long as nothing is known at all."""
        if seen := self._seconds.get(algorithm):
            return _MARGIN * max(seen)
        if not self._seconds:
            return None
        unit = median(max(seen) / self._costs[name] for name, seen in self._seconds.items())
        return unit * self._costs[algorithm]

    def admits(self, algorithm: str, seconds_left: float) -> bool:
        """Whether a trial of `algorithm` is likely to end within `seconds_left`."""
        predicted = self.predict(algorithm)
        return seconds_left > 0 if predicted is None else predicted <= seconds_left

"""The length of a training and its learning rate on the way: functions of its progress, not of a number of steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Course", "one_cycle"]


def one_cycle(progress: float, *, warm_up: float = 0.2, first: float = 0.1) -> float:
    """The learning rate as a share of its peak: up and down in straight lines, to zero at the end.

    The one-cycle policy (Smith & Topin 2017, arXiv:1708.07120), with the straight way down to zero that trains best for
    its length whatever that is (Defazio et al. 2023, arXiv:2310.07831).

    Args:
        progress: share of the training that is done, in [0, 1].
        warm_up: share of the training until the peak, in [0, 1).
        first: where it begins.
    """
    if progress < warm_up:
        return first + (1.0 - first) * progress / warm_up
    return (1.0 - progress) / (1.0 - warm_up)


@dataclass(frozen=True, slots=True)
class Course:
    """The way of one training, measured in steps and by the clock, whichever is further.

    So a schedule always reaches its end: on a slow or loaded machine a training has fewer steps, but the same shape.

    Attributes:
        steps: of a whole training, from progress 0 to 1.
        seconds: that the way from `start` to `end` may take; `math.inf` without a limit.
        start: progress from which it continues, in [0, end).
        end: progress at which it stops, in (0, 1].
    """

    steps: int
    seconds: float = math.inf
    start: float = 0.0
    end: float = 1.0

    @property
    def first_step(self) -> int:
        """Number of the first step, counted as if the part before `start` had been trained in steps of this length."""
        return min(round(self.start * self.steps), self.last_step - 1)

    @property
    def last_step(self) -> int:
        """Number of the first step that is no longer done."""
        return max(1, round(self.end * self.steps))

    def progress(self, step: float, used: float) -> float:
        """Return how far the training is, in [start, end].

        Args:
            step: steps done, from `first_step` on.
            used: seconds since the start.
        """
        return min(self.end, max(self.start, step / self.steps, self._by_clock(used)))

    def is_led_by_clock(self, step: float, used: float) -> bool:
        """True if the time that is used says more about how far the training is than the steps that are done."""
        return self._by_clock(used) > max(self.start, step / self.steps)

    def _by_clock(self, used: float) -> float:
        if math.isinf(self.seconds):
            return self.start
        if used >= self.seconds:
            return self.end
        return self.start + (self.end - self.start) * used / self.seconds

    def goes_on(self, step: int, used: float, pace: float) -> bool:
        """True if there is another step to do, and time for it.

        Args:
            pace: seconds that a step takes.
        """
        return step < self.last_step and used + pace <= self.seconds

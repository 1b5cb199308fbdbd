"""The threads that make the steps of a training fastest: fewer than there are cores, where other work needs one."""

from __future__ import annotations

from statistics import median

__all__ = ["ThreadTuner"]

_TRIED = 3
"""Steps from which a number of threads is judged."""
_STEPS = 300
"""A machine becomes quiet, too: after so many steps others are tried again. On a quiet one that costs a hundredth."""
_SLOW, _LATELY = 1.4, 5
"""Others are tried at once when the median of the latest steps is so many times slower than what was measured."""
_REST = 40
"""Steps between two tries at least."""


class ThreadTuner:
    """Hill climbing by halves and doubles.

    Threads that share a step wait for the slowest of them: where no core is left for one of two, a step can take longer
    than with a single one.

    Args:
        most: threads that the trial may use.

    Attributes:
        size: threads for the next step.
    """

    def __init__(self, most: int) -> None:
        self.size = self._most = most
        self._trying: list[int] = [most]
        self._seconds: dict[int, list[float]] = {}
        self._known = 0.0
        self._since = 0
        self._latest: list[float] = []
        self._try()

    def after_step(self, seconds: float) -> None:
        """A step of `size` threads took `seconds`. Sets `size` for the next one."""
        if self._most == 1:
            return
        if self._trying:
            self._judge(seconds)
            return
        self._since += 1
        self._latest = [*self._latest[1 - _LATELY :], seconds]
        slowed = len(self._latest) == _LATELY and median(self._latest) > _SLOW * self._known
        if self._since >= _STEPS or (slowed and self._since >= _REST):
            self._try()

    def _try(self) -> None:
        near = (self.size, self.size // 2, self.size * 2)
        self._trying = [size for size in near if 1 <= size <= self._most]
        self._seconds = {size: [] for size in self._trying}
        self.size = self._trying[0]

    def _judge(self, seconds: float) -> None:
        taken = self._seconds[self.size]
        taken.append(seconds)
        if len(taken) < _TRIED:
            return
        self._trying.remove(self.size)
        if self._trying:
            self.size = self._trying[0]
            return
        paces = {size: median(each) for size, each in self._seconds.items()}
        self.size = min(paces, key=lambda size: (paces[size], size))
        self._known, self._since, self._latest = paces[self.size], 0, []

"""The work that stopping trials early has saved."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from automl.display.figures import clock
from automl.engine.trial.contract import Status, TrialResult

__all__ = ["Pruning", "PruningTally"]


class Pruning(BaseModel):
    """The number of trials that were stopped early, and an estimate of what that has saved.

    Attributes:
        stopped: trials that were pruned.
        trials: all that have ended.
        seconds: workers' seconds that the stopped ones would have needed to reach their ends, by estimate.
    """

    model_config = ConfigDict(frozen=True)

    stopped: int
    trials: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.stopped} of {self.trials} trials stopped early, about {clock(self.seconds)} of work saved"


class PruningTally:
    """Counts trials as they end.

    A trial that was stopped after a share p of its work, in s seconds, would have needed (1 - p) / p * s more. That is
    assumed only up to the longest completed trial of its algorithm, or of all where its algorithm has none: the
    first part of a trial also holds what is done once, such as features.
    """

    def __init__(self) -> None:
        self._trials = 0
        self._stopped: list[TrialResult] = []
        self._longest: dict[str, float] = {}

    def add(self, result: TrialResult) -> None:
        """Count a trial that has ended."""
        self._trials += 1
        if result.status is Status.PRUNED:
            self._stopped.append(result)
        elif result.status is Status.COMPLETED:
            longest = self._longest.get(result.algorithm, 0.0)
            self._longest[result.algorithm] = max(longest, result.seconds)

    def pruning(self) -> Pruning | None:
        """The count and the estimate; None if no trial was stopped."""
        if not self._stopped:
            return None
        seconds = sum(map(self._saved, self._stopped))
        return Pruning(stopped=len(self._stopped), trials=self._trials, seconds=round(seconds, 3))

    def _saved(self, result: TrialResult) -> float:
        if result.progress is None:
            return 0.0
        most = self._longest.get(result.algorithm, max(self._longest.values(), default=0.0))
        return max(0.0, min(result.seconds / result.progress, most) - result.seconds)

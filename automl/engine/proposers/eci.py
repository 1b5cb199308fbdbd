"""The choice of the next algorithm: the one from which an improvement is expected soonest."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automl.engine.trial.contract import Status
from automl.engine.trial.objective import Objective
from automl.seeds import derive

__all__ = ["EciSelector"]

_TINY = 1e-12


@dataclass
class _Arm:
    """An algorithm's costs and gains. Errors are smaller for better."""

    declared: float
    spent: float = 0.0
    trials: int = 0
    failures: int = 0
    best: float | None = None
    spent_at_best: float = 0.0
    spent_at_previous: float = 0.0
    gain: float | None = None


class EciSelector:
    """Draws an algorithm with a probability inverse to its estimated cost of improvement.

    The estimate is ECI of Wang et al. 2021 (FLAML, MLSys, section 4.2): an algorithm that leads is expected to need as
    long again as its latest improvements took; one that lags must first make up the gap at its own pace.

    Args:
        costs: relative cost of a trial by algorithm, as the space declares it.
        objective: the primary metric.
        seed: the experiment's seed.
        measured: count measured seconds; else the declared costs, so that a run can be repeated.
    """

    def __init__(self, costs: Mapping[str, float], *, objective: Objective, seed: int, measured: bool) -> None:
        self._arms = {name: _Arm(declared=cost) for name, cost in costs.items()}
        self._objective = objective
        self._seed, self._measured = seed, measured
        self._worst: float | None = None

    def observe(self, algorithm: str, status: Status, value: float | None, seconds: float) -> None:
        """Note that a trial of `algorithm` has ended after `seconds`."""
        arm = self._arms[algorithm]
        arm.trials += 1
        arm.spent += seconds if self._measured else arm.declared
        if status.is_failure:
            arm.failures += 1
        if status not in (Status.COMPLETED, Status.PRUNED) or value is None:
            return
        error = self._objective.loss(value)
        if status is Status.PRUNED:  # it tells how far the algorithm lags, and never that it leads
            error = max(error, self._leader())
        self._worst = error if self._worst is None else max(self._worst, error)
        if arm.best is None or error < arm.best:
            arm.gain = None if arm.best is None else arm.best - error
            arm.best = error
            arm.spent_at_previous, arm.spent_at_best = arm.spent_at_best, arm.spent

    def choose(self, number: int, candidates: Sequence[str]) -> str:
        """The algorithm of trial `number`, one of `candidates` (not empty)."""
        weights = [1.0 / max(self.cost_of_improvement(name), _TINY) for name in candidates]
        return random.Random(derive(self._seed, "algorithm", number)).choices(candidates, weights)[0]

    def cost_of_improvement(self, algorithm: str) -> float:
        """Estimated seconds (or declared cost) until `algorithm` improves on the best of all."""
        arm = self._arms[algorithm]
        unit = arm.declared * self._unit()
        if arm.best is None:
            # Never succeeded: its declared cost, doubled by every failure, however quick the failure was.
            return unit * 2.0 ** min(arm.failures, 30) if arm.failures else max(unit, arm.spent)
        own = max(arm.spent - arm.spent_at_best, arm.spent_at_best - arm.spent_at_previous, _TINY)
        gap = arm.best - self._leader()
        if gap <= 0:
            return own
        # Before an algorithm's second success its first counts as a gain over the worst result of all.
        gain = max(gap, (self._worst or 0.0) - arm.best) if arm.gain is None else arm.gain
        pace = gain / max(arm.spent - arm.spent_at_previous, _TINY)
        return max(own, gap / max(pace, _TINY))

    def _leader(self) -> float:
        """The smallest error of all."""
        return min((arm.best for arm in self._arms.values() if arm.best is not None), default=-math.inf)

    def _unit(self) -> float:
        """Return what one unit of declared cost has cost so far."""
        declared = sum(arm.declared * arm.trials for arm in self._arms.values())
        spent = sum(arm.spent for arm in self._arms.values())
        return spent / declared if declared and spent else 1.0

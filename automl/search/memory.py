"""Whether a trial's memory fits: learned from this very experiment, as its time is."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from automl.execution.memory import Memory, memory_here
from automl.search.prediction import FURTHEST, NeedModel, Prediction
from automl.search.state import WOULD_NOT_FIT
from automl.trial.contract import Failure, Status, TrialResult, TrialSpec

if TYPE_CHECKING:
    from automl.space.space import AlgorithmSpace

__all__ = ["MemoryAdmission"]

_MARGIN = 1.25
"""What is reckoned with beyond the largest need seen, as long as nothing is known about parameters."""
_LOOK_SECONDS = 0.5
"""How long a look at the machine's memory counts."""


class MemoryAdmission:
    """Predicts a trial's peak of resident memory, and compares it with what there is.

    Waiting costs little and is decided by the upper bound of a prediction; a refusal is for good, so it takes the lower
    one: nine of ten trials like it would be killed.

    Args:
        algorithms: of the search space.
        limit: bytes that a trial may hold (``limits.trial_memory``), None for no such limit.
    """

    def __init__(self, algorithms: Mapping[str, AlgorithmSpace], limit: int | None = None) -> None:
        self._models = {name: NeedModel(space) for name, space in algorithms.items()}
        self._peaks: dict[str, int] = {}
        self._far = 0.0
        self._limit = limit
        self._memory: Memory | None = None
        self._looked = -_LOOK_SECONDS

    def observe(self, result: TrialResult, params: Mapping[str, Any]) -> None:
        """A trial with `params` has ended. One that was killed for its memory would have held more."""
        peak = result.peak_memory
        if not peak or result.status not in (Status.COMPLETED, Status.OUT_OF_MEMORY):
            return
        exact = result.status is Status.COMPLETED
        self._peaks[result.algorithm] = max(peak, self._peaks.get(result.algorithm, 0))
        self._far = max(self._far, FURTHEST * peak)  # no prediction lies beyond: mostly, that decides
        self._models[result.algorithm].observe(params, peak, fidelity=result.fidelity, exact=exact)

    def refusal(self, spec: TrialSpec, workers: Collection[int] | None) -> Failure | None:
        """Why a trial can never run; None if it can, as far as is known.

        Args:
            workers: process ids of the workers if all of them are on this machine, else None.
        """
        bounds = [] if self._limit is None else [(self._limit, "limits.trial_memory")]
        if workers is not None:
            bounds.append((self._look(workers).total, "this machine's memory"))
        bounds = [(most, name) for most, name in bounds if self._far > most]
        predicted = self._predict(spec) if bounds else None
        for most, name in bounds:
            if predicted is not None and predicted.lower > most:
                needed = f"it would hold about {_megabytes(predicted.expected)}, and {name} is {_megabytes(most)}"
                return Failure(kind=WOULD_NOT_FIT, message=f"It was not started: {needed}.")
        return None

    def fits(self, spec: TrialSpec, running: Iterable[TrialSpec], workers: Collection[int] | None) -> bool:
        """Whether `spec` has room beside what is running. One trial alone always has."""
        beside = list(running)
        if not beside or workers is None:
            return True
        free = self._look(workers).for_trials
        return self._far * (1 + len(beside)) <= free or sum(map(self._most, (spec, *beside))) <= free

    def _predict(self, spec: TrialSpec) -> Prediction | None:
        return self._models[spec.algorithm].predict(spec.params, fidelity=spec.fidelity)

    def _most(self, spec: TrialSpec) -> float:
        """Bytes that a trial is likely to hold at most; 0 as long as nothing is known at all."""
        predicted = self._predict(spec)
        if predicted is not None:
            most = predicted.upper
        elif spec.algorithm in self._peaks:
            most = _MARGIN * self._peaks[spec.algorithm]
        else:
            most = _MARGIN * median(self._peaks.values()) if self._peaks else 0.0
        return most if self._limit is None else min(most, self._limit)

    def _look(self, workers: Collection[int]) -> Memory:
        now = time.monotonic()
        if self._memory is None or now - self._looked > _LOOK_SECONDS:
            self._memory, self._looked = memory_here(workers), now
        return self._memory


def _megabytes(size: float) -> str:
    return f"{size / 2**20:.0f} MB"

"""The test for room in memory for a trial: learned from this very experiment, as its time is."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from automl.engine.admission.gpu_memory import GpuMemoryAdmission
from automl.engine.admission.peak_memory import PeakMemory
from automl.engine.execution.memory import Memory, memory_here
from automl.engine.study.state import WOULD_NOT_FIT
from automl.engine.trial.contract import Failure, TrialResult, TrialSpec

if TYPE_CHECKING:
    from automl.engine.space.space import AlgorithmSpace

__all__ = ["MemoryAdmission"]

_LOOK_SECONDS = 0.5
"""Seconds for which a look at the machine's memory counts."""


class MemoryAdmission:
    """Predicts a trial's peak of resident memory and of GPU memory, and compares it with what there is.

    Waiting costs little and is decided by the upper bound of a prediction; a refusal is for good, so it takes the lower
    one: nine of ten trials like it would be killed.

    Args:
        algorithms: of the search space.
        limit: bytes that a trial may hold (``limits.trial_memory``), None for no such limit.
    """

    def __init__(self, algorithms: Mapping[str, AlgorithmSpace], limit: int | None = None) -> None:
        self._needs = PeakMemory(algorithms)
        self._gpus = GpuMemoryAdmission(algorithms)
        self._limit = limit
        self._memory: Memory | None = None
        self._looked = -_LOOK_SECONDS

    def observe(self, result: TrialResult, params: Mapping[str, Any]) -> None:
        """Note that a trial with `params` has ended. One that ran out of memory would have held more."""
        self._needs.observe(result, params, result.peak_memory)
        self._gpus.observe(result, params)

    def refusal(self, spec: TrialSpec, workers: Collection[int] | None, gpu: int | None = None) -> Failure | None:
        """Return why a trial can never run; None if it can, as far as is known.

        Args:
            workers: process ids of the workers if all of them are on this machine, else None.
            gpu: bytes that trials may hold of the GPU with the least, None if that is not known.
        """
        bounds = [] if self._limit is None else [(self._limit, "limits.trial_memory")]
        if workers is not None:
            bounds.append((self._look(workers).total, "this machine's memory"))
        bounds = [(most, name) for most, name in bounds if self._needs.furthest > most]  # no prediction lies beyond
        predicted = self._needs.predict(spec) if bounds else None
        for most, name in bounds:
            if predicted is not None and predicted.lower > most:
                return _refused(predicted.expected, most, name)
        least, expected = self._gpus.least(spec)
        return _refused(expected, gpu, "what a GPU has free") if gpu is not None and least > gpu else None

    def fits(
        self, spec: TrialSpec, running: Iterable[TrialSpec], workers: Collection[int] | None, gpu: int | None = None
    ) -> bool:
        """Tell whether `spec` has room beside what is running. One trial alone always has."""
        beside = list(running)
        if not self._gpus.fits(spec, beside, gpu):
            return False
        if not beside or workers is None:
            return True
        free = self._look(workers).for_trials
        return self._needs.furthest * (1 + len(beside)) <= free or sum(map(self._most, (spec, *beside))) <= free

    def _most(self, spec: TrialSpec) -> float:
        """Bytes that a trial is likely to hold at most; 0 as long as nothing is known at all."""
        most = self._needs.most(spec)
        return most if self._limit is None else min(most, self._limit)

    def _look(self, workers: Collection[int]) -> Memory:
        now = time.monotonic()
        if self._memory is None or now - self._looked > _LOOK_SECONDS:
            self._memory, self._looked = memory_here(workers), now
        return self._memory


def _refused(expected: float, most: int, name: str) -> Failure:
    needed = f"it would hold about {_megabytes(expected)}, and {name} is {_megabytes(most)}"
    return Failure(kind=WOULD_NOT_FIT, message=f"It was not started: {needed}.")


def _megabytes(size: float) -> str:
    return f"{size / 2**20:.0f} MB"

"""The test for room for one more trial on a GPU that several share: learned from what earlier ones held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from automl.engine.admission.peak_memory import PeakMemory
from automl.engine.trial.contract import TrialResult, TrialSpec

if TYPE_CHECKING:
    from automl.engine.space.space import AlgorithmSpace

__all__ = ["GpuMemoryAdmission"]

_CONTEXT = 2**29
"""Bytes that CUDA itself takes in each process beside what torch allocates: 0.3 to 0.5 GB."""
_ROUNDING = 1e-9


class GpuMemoryAdmission:
    """Predicts a trial's peak of GPU memory, and compares it with what a GPU has.

    Which GPU a trial will get shows when it begins: here it shares with those that run and hold most, as many as fit
    beside it by `compute.gpus_per_trial`. With one GPU that is how it is.

    Args:
        algorithms: of the search space.
    """

    def __init__(self, algorithms: Mapping[str, AlgorithmSpace]) -> None:
        self._needs = PeakMemory(algorithms)

    def observe(self, result: TrialResult, params: Mapping[str, Any]) -> None:
        """Note that a trial with `params` has ended."""
        self._needs.observe(result, params, result.gpu_memory)

    def least(self, spec: TrialSpec) -> tuple[float, float]:
        """Bytes that nine of ten trials like it exceed on each of their GPUs, and what is expected; 0 if unknown."""
        predicted = self._needs.predict(spec) if spec.resources.gpus else None
        if predicted is None:
            return 0.0, 0.0
        gpus = max(1.0, spec.resources.gpus)
        return predicted.lower / gpus + _CONTEXT, predicted.expected / gpus + _CONTEXT

    def fits(self, spec: TrialSpec, beside: Iterable[TrialSpec], size: int | None) -> bool:
        """Tell whether `spec` has room on a GPU beside what is running. One that shares with no other always has.

        Args:
            size: bytes that trials may hold of a GPU, None if that is not known.
        """
        if size is None or not 0 < spec.resources.gpus < 1:
            return True
        others = int(1 / spec.resources.gpus + _ROUNDING) - 1
        held = sorted((self._needs.most(other) for other in beside if other.resources.gpus), reverse=True)[:others]
        return not held or self._needs.most(spec) + sum(held) + _CONTEXT * (1 + len(held)) <= size

"""The peak that trials hold of a memory, of the machine's or of a GPU's: seen, and predicted."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from automl.engine.admission.cost_model import FURTHEST, CostModel, Prediction
from automl.engine.trial.contract import Status, TrialResult, TrialSpec

if TYPE_CHECKING:
    from automl.engine.space.space import AlgorithmSpace

__all__ = ["PeakMemory"]

_MARGIN = 1.25
"""A factor on the largest need seen, allowed for as long as nothing is known about parameters."""


class PeakMemory:
    """Learns the peak, in bytes, that a trial of an algorithm holds.

    Args:
        algorithms: of the search space.

    Attributes:
        furthest: bytes that no prediction exceeds; 0 as long as nothing is known at all.
    """

    def __init__(self, algorithms: Mapping[str, AlgorithmSpace]) -> None:
        self._models = {name: CostModel(space) for name, space in algorithms.items()}
        self._peaks: dict[str, int] = {}
        self.furthest = 0.0

    def observe(self, result: TrialResult, params: Mapping[str, Any], peak: int | None) -> None:
        """Note that a trial with `params` has held `peak`. One that ran out of memory would have held more."""
        if not peak or result.status not in (Status.COMPLETED, Status.OUT_OF_MEMORY):
            return
        exact = result.status is Status.COMPLETED
        self._peaks[result.algorithm] = max(peak, self._peaks.get(result.algorithm, 0))
        self.furthest = max(self.furthest, FURTHEST * peak)
        self._models[result.algorithm].observe(params, peak, fidelity=result.fidelity, exact=exact)

    def predict(self, spec: TrialSpec) -> Prediction | None:
        """Predict what a trial will hold; None as long as too little is known of its algorithm."""
        return self._models[spec.algorithm].predict(spec.params, fidelity=spec.fidelity)

    def most(self, spec: TrialSpec) -> float:
        """Bytes that a trial is likely to hold at most; 0 as long as nothing is known at all."""
        predicted = self.predict(spec)
        if predicted is not None:
            return predicted.upper
        if spec.algorithm in self._peaks:
            return _MARGIN * self._peaks[spec.algorithm]
        return _MARGIN * median(self._peaks.values()) if self._peaks else 0.0

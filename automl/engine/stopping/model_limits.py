"""Limits on the model itself: what is too slow or too large to be used is never the best."""

from __future__ import annotations

from dataclasses import dataclass

from automl.engine.trial.contract import TrialResult

__all__ = ["ModelLimits"]


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """The most that a model may cost in use. Trials over a limit stay in the record and teach the sampler.

    Attributes:
        predict_time: seconds to predict for one input (`TrialResult.predict_latency`); None for no limit.
        model_size: bytes of all models that a trial leaves; None for no limit.
    """

    predict_time: float | None = None
    model_size: int | None = None

    def __bool__(self) -> bool:
        """Tell whether anything is limited."""
        return self.predict_time is not None or self.model_size is not None

    def exceeded(self, result: TrialResult) -> tuple[str, ...]:
        """Names of the limits that a completed trial does not keep. What was not measured does not keep its limit."""
        over = []
        if self.predict_time is not None and not (
            result.predict_latency is not None and result.predict_latency <= self.predict_time
        ):
            over.append("predict_time")
        if self.model_size is not None and result.model_size > self.model_size:
            over.append("model_size")
        return tuple(over)

    def allow(self, result: TrialResult) -> bool:
        return not self.exceeded(result)

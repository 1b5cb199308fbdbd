"""The last word on how a trial ended: what the driver knows better than the worker."""

from __future__ import annotations

import math
from typing import Any

from automl.engine.search.queue import PendingTrial
from automl.engine.search.submission import Terms
from automl.engine.trial.contract import Failure, Status, TrialResult

__all__ = ["finalize_result"]


def finalize_result(pending: PendingTrial, result: TrialResult, terms: Terms, elapsed: float) -> TrialResult:
    """Complete `result` with the experiment's clock, and with the limit that ran out.

    Args:
        elapsed: the experiment's clock, in seconds.
    """
    changes: dict[str, Any] = {"elapsed": round(elapsed, 3)}
    if pending.pruned is not None and result.status in (Status.PRUNED, Status.COMPLETED):
        # How much further a trial came before it heard of its end depends on timing; what was decided does not.
        value = pending.pruned.value
        changes |= {"status": Status.PRUNED, "value": value, "metrics": {terms.objective.name: value}}
        if terms.steps is not None and 0 < pending.pruned.step < terms.steps.whole:
            changes["progress"] = terms.steps.share(pending.pruned.step)
        return result.model_copy(update={**changes, "fold_scores": (), "failure": None})
    if result.status is Status.TIMED_OUT and result.seconds < _own_limit(pending, terms):
        changes |= {"status": Status.CANCELLED, "failure": None}
    if result.status is Status.COMPLETED and (result.value is None or not math.isfinite(result.value)):
        failure = Failure(
            kind="NoScore",
            message=f"the trial ended with {terms.objective.name} = {result.value}, which is not a score",
        )
        changes |= {"status": Status.FAILED, "value": None, "failure": failure}
    return result.model_copy(update=changes)


def _own_limit(pending: PendingTrial, terms: Terms) -> float:
    """Seconds after which it is the trial that takes too long, and not the search that ends."""
    stage, own = pending.record.stage, terms.limits.seconds
    return min(math.inf if own is None else own, math.inf if stage is None else stage.timeout)

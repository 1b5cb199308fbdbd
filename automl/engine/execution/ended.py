"""The result of a trial whose worker could not give any."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from automl.engine.execution.handle import SubmittedTrial
from automl.engine.execution.memory_note import MemoryNote
from automl.engine.trial.contract import Failure, Status, StopReason, TrialResult
from automl.engine.trial.execute import stop_failure
from automl.engine.trial.outputs import list_outputs, total_size
from automl.engine.workspace.layout import TrialDirectory

__all__ = ["ended_without_result"]


def ended_without_result(
    trial: SubmittedTrial, status: Status, failure: Failure, *, storage: str | None = None
) -> TrialResult:
    """Return what can be said from outside about a trial that was killed, or that never began.

    If the watchdog has left its note, the trial was over its memory limit, whatever `status` says.

    Args:
        storage: the URL of `compute.storage`, if the trial's worker used it.
    """
    spec = trial.spec
    held = None if spec.limits.memory is None else MemoryNote(spec.directory, storage).take()
    if held is not None:
        status = Status.OUT_OF_MEMORY
        failure = stop_failure(StopReason.OUT_OF_MEMORY, spec, killed=True)
    directory = TrialDirectory(spec.directory)
    seconds = time.monotonic() - trial.started if trial.has_begun else 0.0
    return TrialResult.of(
        spec,
        status,
        value=trial.last.value if trial.last is not None and not status.is_failure else None,
        failure=failure,
        seconds=seconds,
        peak_memory=held,
        model_size=total_size(directory.models),
        outputs=list_outputs(directory.outputs),
        worker="" if trial.worker is None else trial.worker.address,
        started_at=_ago(seconds) if trial.has_begun else "",
    )


def _ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="milliseconds")

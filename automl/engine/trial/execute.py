"""Run one trial: whatever its work does, a TrialResult comes out."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from automl.client import Run, TrialPruned, current_run
from automl.engine.trial.capture import Capture, no_capture
from automl.engine.trial.contract import (
    Failure,
    Outcome,
    Report,
    Status,
    StopReason,
    TrialContext,
    TrialResult,
    TrialSpec,
)
from automl.engine.trial.gpu import GpuMeter, is_out_of_memory
from automl.engine.trial.memory import peak_memory, reset_peak_memory
from automl.engine.trial.outputs import list_outputs, total_size
from automl.engine.trial.threads import limit_threads
from automl.engine.workspace.layout import TrialDirectory

__all__ = ["address", "execute", "host", "stop_failure"]

_TRACEBACK = 20_000
"""Characters of a traceback that are kept: its end."""


def execute(
    spec: TrialSpec,
    context: TrialContext,
    *,
    emit: Callable[[Report], None],
    stop_reason: Callable[[], StopReason | None],
    capture: Capture = no_capture,
) -> TrialResult:
    """Run `context.work` for `spec` in this thread.

    Never raises. A work that was asked to stop and has noticed (`Run.should_stop`, `TrialPruned`) ends as the reason
    says, also if it returns an outcome; one that returns without having noticed is COMPLETED.

    Args:
        emit: takes each finite value that is logged under the primary metric's name.
        stop_reason: why the trial should stop, None while it should not.
        capture: where to send what the trial prints.
    """
    began, started_at = time.perf_counter(), datetime.now(UTC).isoformat(timespec="milliseconds")
    directory = TrialDirectory(spec.directory)
    request = _StopRequest(spec, stop_reason)
    run = Run(
        spec.directory,
        number=spec.number,
        params=spec.params,
        sink=_reporter(spec, context.work.metric, emit),
        stop_requested=request.is_made,
        seconds=spec.limits.seconds,
        allotted=spec.limits.allotted,
        parent_checkpoint=spec.lineage.checkpoint,
    )
    reset_peak_memory()
    gpus = GpuMeter(spec.resources.gpus)
    try:
        _prepare(directory, spec.attempt)
        limit_threads(spec.resources.threads)
        with capture(spec.directory), current_run(run):
            outcome = context.work(spec, run)
        ending = _returned(spec, outcome, run, context.work.metric, request.seen)
    except BaseException as error:  # a trial may raise anything, SystemExit and KeyboardInterrupt among it
        ending = _raised(spec, error, run, context.work.metric, request.seen or request.reason())
    gpus.stop()
    return TrialResult.of(
        spec,
        **ending,
        seconds=time.perf_counter() - began,
        peak_memory=peak_memory(),
        gpu_memory=gpus.memory,
        gpu_utilization=gpus.utilization,
        model_size=total_size(directory.models),
        outputs=list_outputs(directory.outputs),
        worker=address(os.getpid()),
        started_at=started_at,
    )


@cache
def address(pid: int) -> str:
    """Return the name of a worker in records: ``host:pid``."""
    return f"{host()}:{pid}"


@cache
def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def stop_failure(reason: StopReason, spec: TrialSpec, *, killed: bool) -> Failure:
    """Return what a record says about a trial that was made to stop."""
    sentences = {
        StopReason.PRUNED: "It was stopped early: other trials were better at this point",
        StopReason.TIMED_OUT: f"It did not end within {spec.limits.seconds or 0:.3g} s",
        StopReason.OUT_OF_MEMORY: f"It used more than {(spec.limits.memory or 0) / 2**20:.0f} MB of memory",
        StopReason.CANCELLED: "It was cancelled",
    }
    return Failure(kind=reason.value, message=f"{sentences[reason]}{', and was killed.' if killed else '.'}")


class _StopRequest:
    """The request to stop a trial, and whether its work has seen it."""

    def __init__(self, spec: TrialSpec, stop_reason: Callable[[], StopReason | None]) -> None:
        self._stop_reason = stop_reason
        self._ends = math.inf if spec.limits.seconds is None else time.monotonic() + spec.limits.seconds
        self.seen: StopReason | None = None

    def reason(self) -> StopReason | None:
        reason = self._stop_reason()
        return StopReason.TIMED_OUT if reason is None and time.monotonic() >= self._ends else reason

    def is_made(self) -> bool:
        self.seen = self.seen or self.reason()
        return self.seen is not None


def _reporter(spec: TrialSpec, metric: str, emit: Callable[[Report], None]) -> Callable[[str, float, int], None]:
    process = os.getpid()

    def sink(name: str, value: float, step: int) -> None:
        if name == metric and math.isfinite(value) and os.getpid() == process:  # a forked child has no one to tell
            emit(Report(spec.number, spec.attempt, step, value))

    return sink


def _prepare(directory: TrialDirectory, attempt: int) -> None:
    """Make the trial's directory. What an earlier attempt has logged and printed is put aside."""
    try:
        os.mkdir(directory.path)
    except FileExistsError:
        if attempt > 1:
            directory.logs.mkdir(exist_ok=True)
            for path in (directory.metrics, directory.logs / "stdout.txt"):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(path, directory.logs / f"attempt_{attempt - 1}_{path.name}")
    except FileNotFoundError:
        directory.path.mkdir(parents=True, exist_ok=True)


def _returned(spec: TrialSpec, outcome: Outcome, run: Run, metric: str, seen: StopReason | None) -> dict[str, Any]:
    """Return what the result says about a work that reached its end."""
    if not isinstance(outcome, Outcome):
        raise TypeError(f"The trial's work returned {type(outcome).__name__} instead of an Outcome.")
    value = run.metrics.get(metric) if outcome.value is None else float(outcome.value)
    if value is not None and not math.isfinite(value):
        raise ValueError(f"The primary metric {metric} came out as {value}.")
    return {
        "status": Status.COMPLETED if seen is None else seen.status,
        "failure": None if seen is None else stop_failure(seen, spec, killed=False),
        "value": value,
        "metrics": _floats(outcome.metrics),
        "fold_scores": tuple(float(score) for score in outcome.fold_scores),
        "fit_seconds": float(outcome.fit_seconds),
        "predict_seconds": float(outcome.predict_seconds),
        "predict_latency": outcome.predict_latency,
        "cut_short": outcome.cut_short,
    }


def _raised(spec: TrialSpec, error: BaseException, run: Run, metric: str, reason: StopReason | None) -> dict[str, Any]:
    """Return what the result says about a work that raised."""
    if isinstance(error, TrialPruned):
        reason = reason or StopReason.PRUNED
        status, failure = reason.status, stop_failure(reason, spec, killed=False)
    else:
        exhausted = isinstance(error, MemoryError) or is_out_of_memory(error)
        status = Status.OUT_OF_MEMORY if exhausted else Status.FAILED
        status = Status.CANCELLED if isinstance(error, KeyboardInterrupt) else status
        failure = _failure(error)
    value = None if status.is_failure else run.metrics.get(metric)
    return {
        "status": status,
        "failure": failure,
        "value": value if value is not None and math.isfinite(value) else None,
        "metrics": _floats(run.metrics),
    }


def _failure(error: BaseException) -> Failure:
    try:
        message = str(error)
    except Exception:  # an exception whose __str__ raises
        message = "(its message cannot be read)"
    trace = error.__traceback__.tb_next if error.__traceback__ is not None else None  # without execute's own frame
    lines = "".join(traceback.format_exception(type(error), error, trace))
    return Failure(kind=type(error).__name__, message=_clean(message), traceback=_clean(lines)[-_TRACEBACK:])


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _floats(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(value) for name, value in metrics.items()}

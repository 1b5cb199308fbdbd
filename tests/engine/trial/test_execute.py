"""Running one trial. What executors add is in the executor suite."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from automl.client import Run, TrialPruned
from automl.engine.trial.capture import rescue_spool, tee
from automl.engine.trial.contract import (
    Outcome,
    Report,
    Status,
    StopReason,
    TrialContext,
    TrialLimits,
    TrialResources,
    TrialResult,
    TrialSpec,
)
from automl.engine.trial.execute import execute
from automl.engine.trial.memory import peak_memory, reset_peak_memory
from automl.engine.trial.threads import limit_threads, restore_threads


@dataclass
class Doing:
    """A work that does what it was given."""

    function: Callable[[TrialSpec, Run], Any]
    metric: str = "score"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        outcome: Outcome = self.function(spec, run)
        return outcome


@pytest.fixture
def spec(tmp_path: Path) -> TrialSpec:
    return TrialSpec(3, "any", {"alpha": 1}, tmp_path / "trials" / "00003", seed=5)


def run_work(spec: TrialSpec, function: Callable[[TrialSpec, Run], Any], **options: Any) -> TrialResult:
    options = {"emit": lambda report: None, "stop_reason": lambda: None, **options}
    return execute(spec, TrialContext(Doing(function)), **options)


def test_the_result_holds_what_the_spec_and_the_outcome_say(spec: TrialSpec) -> None:
    outcome = Outcome(0.5, {"other": 2.0}, (0.4, 0.6), fit_seconds=1.5, predict_seconds=0.25)
    result = run_work(spec, lambda spec, run: outcome)
    assert (result.number, result.attempt, result.algorithm, result.seed) == (3, 1, "any", 5)
    assert (result.status, result.failure) == (Status.COMPLETED, None)
    assert (result.value, result.metrics, result.fold_scores) == (0.5, {"other": 2.0}, (0.4, 0.6))
    assert (result.fit_seconds, result.predict_seconds) == (1.5, 0.25)


def test_a_trial_that_leaves_nothing_has_an_empty_directory(spec: TrialSpec) -> None:
    run_work(spec, lambda spec, run: Outcome(0.5))
    assert list(spec.directory.iterdir()) == []


def test_the_run_is_current_while_the_work_is_called_and_not_after(spec: TrialSpec) -> None:
    runs: list[Run] = []

    def work(spec: TrialSpec, run: Run) -> Outcome:
        runs.extend((run, Run.get_context()))
        return Outcome(0.5)

    run_work(spec, work)
    assert runs[0] is runs[1]
    assert (runs[0].number, runs[0].params) == (3, {"alpha": 1})
    assert Run.get_context() is not runs[0]


def test_only_finite_values_of_the_primary_metric_are_reported(spec: TrialSpec) -> None:
    def work(spec: TrialSpec, run: Run) -> Outcome:
        run.log("score", 0.5, step=10)
        run.log("other", 0.6, step=20)
        run.log("score", float("inf"), step=30)
        return Outcome(0.5)

    reports: list[Report] = []
    run_work(spec, work, emit=reports.append)
    assert reports == [Report(3, 1, 10, 0.5)]


def test_without_a_value_the_last_logged_counts(spec: TrialSpec) -> None:
    def work(spec: TrialSpec, run: Run) -> Outcome:
        run.log("score", 0.1)
        run.log("score", 0.2)
        return Outcome(None)

    assert run_work(spec, work).value == 0.2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_is_a_failure(spec: TrialSpec, value: float) -> None:
    result = run_work(spec, lambda spec, run: Outcome(value))
    assert (result.status, result.value) == (Status.FAILED, None)


def _raise(error: BaseException) -> Callable[[TrialSpec, Run], Outcome]:
    def work(spec: TrialSpec, run: Run) -> Outcome:
        raise error

    return work


class _MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("bad \udcff text"), Status.FAILED),
        (_MuteError(), Status.FAILED),
        (SystemExit(1), Status.FAILED),
        (GeneratorExit(), Status.FAILED),
        (MemoryError(), Status.OUT_OF_MEMORY),
        (KeyboardInterrupt(), Status.CANCELLED),
        (TrialPruned(), Status.PRUNED),
    ],
)
def test_whatever_is_raised_ends_in_a_result(spec: TrialSpec, error: BaseException, status: Status) -> None:
    result = run_work(spec, _raise(error))
    assert result.status is status
    assert result.failure is not None
    assert result.failure.kind == ("PRUNED" if status is Status.PRUNED else type(error).__name__)
    assert TrialResult.model_validate_json(result.model_dump_json()) == result


def test_the_end_of_a_deep_traceback_is_kept(spec: TrialSpec) -> None:
    def deepen(left: int) -> None:
        if left == 0:
            raise ValueError("x" * 50_000)
        deepen(left - 1)

    result = run_work(spec, lambda spec, run: deepen(50))
    assert result.failure is not None
    assert len(result.failure.traceback) == 20_000


def test_a_stop_that_nobody_noticed_changes_nothing(spec: TrialSpec) -> None:
    result = run_work(spec, lambda spec, run: Outcome(0.5), stop_reason=lambda: StopReason.PRUNED)
    assert (result.status, result.value) == (Status.COMPLETED, 0.5)


def test_a_trial_that_notices_its_time_is_timed_out(spec: TrialSpec) -> None:
    def work(spec: TrialSpec, run: Run) -> Outcome:
        assert not run.should_stop
        while run.seconds_left:
            time.sleep(0.001)
        assert run.should_stop
        raise TrialPruned

    limited = TrialSpec(3, "any", {}, spec.directory, limits=TrialLimits(seconds=0.05))
    result = run_work(limited, work)
    assert (result.status, result.value) == (Status.TIMED_OUT, None)


def test_an_unwritable_directory_is_a_failure_of_the_trial(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run_work(TrialSpec(0, "any", {}, tmp_path / "file" / "00000"), lambda spec, run: Outcome(0.5))
    assert result.status is Status.FAILED
    assert result.failure is not None
    assert result.failure.kind == "NotADirectoryError"


def test_a_forked_child_reports_nothing(spec: TrialSpec, tmp_path: Path) -> None:
    def work(spec: TrialSpec, run: Run) -> Outcome:
        child = os.fork()
        run.log("score", 0.5)
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return Outcome(0.5)

    told = tmp_path / "told"
    with told.open("ab", buffering=0) as file:
        run_work(spec, work, emit=lambda report: file.write(b"x"))
    assert told.read_bytes() == b"x"


def test_models_and_outputs_are_measured(spec: TrialSpec) -> None:
    def work(spec: TrialSpec, run: Run) -> Outcome:
        (spec.directory / "models").mkdir()
        (spec.directory / "models" / "fold_00.joblib").write_bytes(b"12345")
        (run.outputs / "b").write_bytes(b"1")
        (run.outputs / "a").write_bytes(b"22")
        os.mkfifo(run.outputs / "pipe")
        return Outcome(0.5)

    result = run_work(spec, work)
    assert result.model_size == 5
    assert [(file.path, file.size) for file in result.outputs] == [("a", 2), ("b", 1)]


def test_the_peak_of_memory_is_that_of_this_trial() -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the system cannot reset the peak")
    reset_peak_memory()
    large = bytearray(b"x") * 2**27
    with_large = peak_memory()
    del large
    reset_peak_memory()
    without = peak_memory()
    assert with_large is not None
    assert without is not None
    assert with_large - without > 2**26  # half of what was allocated


def test_threads_are_limited_and_set_free_again() -> None:
    import numpy  # noqa: F401 - it brings a thread pool
    from threadpoolctl import threadpool_info

    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info()]

    restore_threads()  # tests before this one have limited them
    before, variable = threads(), os.environ.get("OMP_NUM_THREADS")
    assert before
    for number in (1, 2):
        limit_threads(TrialResources(cpus=number).threads)
        assert set(threads()) == {number}
        assert os.environ["OMP_NUM_THREADS"] == str(number)
    restore_threads()
    assert threads() == before
    assert os.environ.get("OMP_NUM_THREADS") == variable


def test_tee_writes_to_the_log_and_to_the_terminal(spec: TrialSpec, capsys: pytest.CaptureFixture[str]) -> None:
    run_work(spec, lambda spec, run: print("hello") or Outcome(0.5), capture=tee)  # type: ignore[func-returns-value]
    assert capsys.readouterr().out == "hello\n"
    assert (spec.directory / "logs" / "stdout.txt").read_text() == "hello\n"


def test_what_a_dead_worker_printed_is_moved_to_its_trial(tmp_path: Path) -> None:
    directory = tmp_path / "00001"
    directory.mkdir()
    spool = tmp_path / ".stdout-mark"
    spool.write_text("last words")
    rescue_spool(directory, "mark")
    assert (directory / "logs" / "stdout.txt").read_text() == "last words"
    assert not spool.exists()
    rescue_spool(directory, "mark")  # nothing left to move: the log stays
    assert (directory / "logs" / "stdout.txt").read_text() == "last words"

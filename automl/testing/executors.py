"""The conformance suite of executors.

Derive `ExecutorSuite`, and say how to make your executor.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.engine.execution.base import Executor
from automl.engine.trial.contract import (
    Device,
    Report,
    Status,
    StopReason,
    TrialContext,
    TrialResources,
    TrialResult,
    TrialSpec,
)
from automl.engine.trial.execute import execute
from automl.testing.behaviours import METRIC, Behaviours
from automl.testing.driving import PATIENCE, run_trials, wait_for
from automl.testing.executor_batches import BatchTests
from automl.testing.executor_kills import KillTests

__all__ = ["ExecutorSuite"]


class ExecutorSuite(KillTests, BatchTests):
    """The duties of an executor.

    Example:
        >>> from automl.engine.execution.inline import InlineExecutor
        >>> class TestInline(ExecutorSuite):
        ...     hard_kill = parallel = False
        ...
        ...     def make_executor(self) -> Executor:
        ...         return InlineExecutor()
    """

    # --- results and reports

    def test_same_seed_gives_the_same_bits_as_without_an_executor(
        self, executor: Executor, trial: Callable[..., TrialSpec]
    ) -> None:
        specs = [trial("compute", seed=seed, scale=0.1) for seed in range(3)]
        events = run_trials(executor, *specs)
        for spec in specs:
            reports: list[Report] = []
            plain = execute(spec, TrialContext(Behaviours()), emit=reports.append, stop_reason=lambda: None)
            result = next(e for e in events if isinstance(e, TrialResult) and e.number == spec.number)
            assert (result.status, result.value) == (Status.COMPLETED, plain.value)
            assert (result.metrics, result.fold_scores) == (plain.metrics, plain.fold_scores)
            assert [e for e in events if isinstance(e, Report) and e.number == spec.number] == reports

    def test_reports_come_in_order_and_before_the_result(
        self, executor: Executor, trial: Callable[..., TrialSpec]
    ) -> None:
        spec = trial("report")
        *reports, result = run_trials(executor, spec)
        assert reports == [Report(spec.number, 1, step, float(step)) for step in range(200)]
        assert isinstance(result, TrialResult)

    def test_a_result_says_where_when_and_how_long(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        result = self.result(executor, trial("compute", scale=1.0))
        assert result.worker.rpartition(":")[2].isdigit()
        assert result.started_at
        assert 0 < result.seconds < PATIENCE
        assert result.peak_memory is None or result.peak_memory > 2**20  # any Python process holds more than 1 MB

    def test_trials_run_at_the_same_time(
        self, executor: Executor, trial: Callable[..., TrialSpec], tmp_path: Path
    ) -> None:
        if not self.parallel:
            pytest.skip("this executor has one slot")
        wait_for(lambda: executor.wait(0.1) == [] and executor.slots > 1)  # workers may still be starting
        place = tmp_path / "place"
        place.mkdir()
        events = run_trials(executor, trial("meet", place=str(place)), trial("meet", place=str(place)))
        assert [e.status for e in events if isinstance(e, TrialResult)] == [Status.COMPLETED] * 2

    def test_libraries_use_the_cores_of_the_trial(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        result = self.result(executor, trial("count_threads"))
        assert result.metrics["pools"] > 0
        assert result.value == TrialResources().threads

    def test_a_trial_without_gpus_sees_none(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None
    ) -> None:
        assert self.result(executor, trial("count_gpus")).value == 0

    def test_trials_without_gpus_may_take_any_slot_where_no_others_come(self, executor: Executor) -> None:
        assert executor.gpus_per_trial == 0
        assert executor.slots_on(Device.CPU) == executor.slots > 0

    # --- failures

    @pytest.mark.parametrize(
        ("behaviour", "kind", "message"),
        [
            ("fail", "ZeroDivisionError", "the cause"),
            ("fail_unpicklably", "_UnpicklableError", "it holds a lock"),
            ("call_exit", "SystemExit", "a script's way to end"),
            ("return_nonsense", "TypeError", "Outcome"),
            ("return_unpicklable", "TypeError", "lock"),
            ("return_nan", "ValueError", "nan"),
        ],
    )
    def test_a_failure_is_typed(
        self, executor: Executor, trial: Callable[..., TrialSpec], behaviour: str, kind: str, message: str
    ) -> None:
        result = self.result(executor, trial(behaviour))
        assert (result.status, result.value) == (Status.FAILED, None)
        assert result.failure is not None
        assert result.failure.kind == kind
        assert message in result.failure.message
        assert result.failure.traceback

    def test_a_failed_trial_keeps_what_it_has_logged(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        result = self.result(executor, trial("fail"))
        assert result.metrics == {"other": 2.0}
        assert result.failure is not None
        assert "in fail" in result.failure.traceback  # the function that raised

    def test_a_memory_error_is_out_of_memory(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        assert self.result(executor, trial("raise_memory_error")).status is Status.OUT_OF_MEMORY

    # --- stopping

    @pytest.mark.parametrize("reason", list(StopReason))
    def test_a_trial_that_is_asked_to_stop_ends_as_the_reason_says(
        self, executor: Executor, trial: Callable[..., TrialSpec], reason: StopReason
    ) -> None:
        result = self.stopped(executor, trial("obey"), reason, grace=PATIENCE)
        assert result.status is reason.status
        assert result.failure is not None
        assert result.failure.kind == reason.value
        assert result.value == (None if result.status.is_failure else 0.25)

    def test_logging_stops_a_trial_that_wants_it_to(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        result = self.stopped(executor, trial("obey_in_log"), StopReason.PRUNED, grace=PATIENCE)
        assert result.status is Status.PRUNED
        assert result.value == result.metrics[METRIC]

    def test_an_outcome_after_a_stop_that_was_noticed_is_not_complete(
        self, executor: Executor, trial: Callable[..., TrialSpec]
    ) -> None:
        spec = trial("obey_with_outcome")
        executor.submit(spec)
        events = list(executor.wait(0.3))
        executor.stop(spec.number, StopReason.PRUNED, grace=PATIENCE)
        ends = time.monotonic() + PATIENCE
        while not events and time.monotonic() < ends:
            events.extend(executor.wait(1.0))
        (result,) = events
        assert isinstance(result, TrialResult)
        assert (result.status, result.value) == (Status.PRUNED, 0.5)

    def test_stopping_an_unknown_number_does_nothing(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        executor.stop(10**6, StopReason.PRUNED)
        self.assert_usable(executor, trial)

    def test_a_trial_knows_its_time(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        result = self.result(executor, trial("obey", seconds=0.3))
        assert result.status is Status.TIMED_OUT

    # --- what a trial leaves behind

    def test_what_a_trial_prints_is_in_its_log(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        spec = trial("print_everywhere")
        self.result(executor, spec)
        assert (spec.directory / "logs" / "stdout.txt").read_text() == "by print\nto stderr\n"

    def test_a_silent_trial_after_a_loud_one_has_no_log(
        self, executor: Executor, trial: Callable[..., TrialSpec]
    ) -> None:
        loud, silent = trial("print_everywhere"), trial("report")
        run_trials(executor, loud)
        run_trials(executor, silent)
        assert not (silent.directory / "logs" / "stdout.txt").exists()

    def test_what_is_printed_past_python_is_in_the_log(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None
    ) -> None:
        spec = trial("print_below")
        self.result(executor, spec)
        assert (spec.directory / "logs" / "stdout.txt").read_text() == "to the descriptor\nin a child\n"

    def test_outputs_are_listed_and_links_that_lead_out_are_not(
        self, executor: Executor, trial: Callable[..., TrialSpec], tmp_path: Path
    ) -> None:
        secret = tmp_path / "secret"
        secret.write_text("secret")
        result = self.result(executor, trial("write_outputs", outside=str(secret)))
        assert [file.path for file in result.outputs] == ["folder/model.bin", "inside"]
        assert {file.size for file in result.outputs} == {6}
        assert {file.sha256 for file in result.outputs} == {hashlib.sha256(b"automl").hexdigest()}

    # --- beginning and end (each with an executor of its own)

    def test_work_defined_in_main_can_be_run(self, trial: Callable[..., TrialSpec]) -> None:
        main = vars(sys.modules["__main__"])
        exec(_WORK_IN_MAIN, main)  # noqa: S102 - a text of this file
        executor = self.make_executor()
        try:
            executor.start(TrialContext(main["_WorkInMain"]()))
            assert self.result(executor, trial("any")).value == 42.0
        finally:
            executor.close()


_WORK_IN_MAIN = """
class _WorkInMain:
    metric = "score"
    def __call__(self, spec, run):
        from automl.engine.trial.contract import Outcome
        return Outcome(value=_answer())
def _answer():
    return 42.0
"""

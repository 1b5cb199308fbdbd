"""The duties of an executor towards trials that do not behave."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from automl.engine.execution.base import Executor
from automl.engine.trial.contract import Status, StopReason, TrialContext, TrialResult, TrialSpec
from automl.testing.behaviours import Behaviours
from automl.testing.driving import is_gone, until_exists, wait_for
from automl.testing.executor_tests import ExecutorTests

__all__ = ["KillTests"]


class KillTests(ExecutorTests):
    """Deaf trials, greedy trials, dead workers, and what they leave running."""

    def test_a_deaf_trial_is_killed_when_it_does_not_stop(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None
    ) -> None:
        """Check that what it has written and printed until then is kept."""
        spec = trial("deaf")
        result = self.stopped(executor, spec, StopReason.PRUNED, grace=0.2)
        assert (result.status, result.value) == (Status.PRUNED, 0.75)
        assert 0.2 <= result.seconds < 20  # the grace, and a generous time for the kill on a loaded machine
        assert [(file.path, file.size) for file in result.outputs] == [("kept.txt", 4)]
        assert (spec.directory / "logs" / "stdout.txt").read_text() == "printed before the kill\n"
        self.assert_usable(executor, trial)

    def test_a_deaf_trial_is_killed_at_its_limit(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None
    ) -> None:
        result = self.result(executor, trial("deaf", seconds=0.5))
        assert result.status is Status.TIMED_OUT
        assert result.failure is not None
        assert result.failure.kind == "TIMED_OUT"
        assert 0.5 <= result.seconds < 20
        self.assert_usable(executor, trial)

    def test_a_trial_over_its_memory_is_killed(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None
    ) -> None:
        limit = 700 * 2**20  # far above what a worker with its imports holds
        result = self.result(executor, trial("allocate", memory=limit, megabytes=1400))
        assert result.status is Status.OUT_OF_MEMORY
        assert result.peak_memory is not None
        assert result.peak_memory > limit
        assert result.failure is not None
        assert "700 MB" in result.failure.message
        self.assert_usable(executor, trial)

    @pytest.mark.parametrize("behaviour", ["segfault", "kill_self"])
    def test_a_dead_worker_interrupts_its_trial_alone(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None, behaviour: str
    ) -> None:
        result = self.result(executor, trial(behaviour))
        assert result.status is Status.INTERRUPTED
        assert result.failure is not None
        assert result.failure.message
        self.assert_usable(executor, trial)

    def test_a_second_attempt_keeps_the_log_of_the_first(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None
    ) -> None:
        """As those of all trials whose worker has died."""
        first = trial("exit_process")
        died = self.result(executor, first)
        assert died.status is Status.INTERRUPTED
        assert died.failure is not None
        assert died.failure.message
        assert (first.directory / "logs" / "stdout.txt").read_text() == "printed before the exit\n"
        second = TrialSpec(first.number, "print_everywhere", {}, first.directory, attempt=2)
        result = self.result(executor, second)
        assert (result.attempt, result.status) == (2, Status.COMPLETED)
        logs = first.directory / "logs"
        assert (logs / "attempt_1_stdout.txt").read_text() == "printed before the exit\n"
        assert (logs / "stdout.txt").read_text() == "by print\nto stderr\n"

    @pytest.mark.parametrize("behaviour", ["orphan_then_deaf", "orphan_then_die"])
    def test_what_a_killed_trial_has_started_is_killed_too(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None, behaviour: str
    ) -> None:
        spec = trial(behaviour)
        executor.submit(spec)
        events = until_exists(executor, spec.directory / "outputs" / "pid")
        orphan = int((spec.directory / "outputs" / "pid").read_text())
        executor.stop(spec.number, StopReason.CANCELLED, grace=0.0)
        while not events:
            events = executor.wait(1.0)
        result = events[-1]
        assert isinstance(result, TrialResult)
        assert behaviour != "orphan_then_deaf" or result.status is Status.CANCELLED  # a death may come before the stop
        wait_for(lambda: is_gone(orphan))

    @pytest.mark.skipif(sys.platform == "win32", reason="no fork")
    def test_a_dead_worker_is_noticed_though_its_child_lives(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None
    ) -> None:
        assert self.result(executor, trial("fork_then_die")).status is Status.INTERRUPTED

    def test_close_leaves_no_process_behind(self, trial: Callable[..., TrialSpec], kills: None) -> None:
        executor = self.make_executor()
        executor.start(TrialContext(Behaviours()))
        first = self.result(executor, trial("compute", scale=1.0))
        spec = trial("orphan_then_deaf")
        executor.submit(spec)
        until_exists(executor, spec.directory / "outputs" / "pid")
        executor.close()
        executor.close()
        orphan = int((spec.directory / "outputs" / "pid").read_text())
        worker = int(first.worker.rpartition(":")[2])
        wait_for(lambda: is_gone(orphan) and is_gone(worker))
        assert not _hidden(spec.directory.parent)


def _hidden(folder: Path) -> Sequence[str]:
    return [entry.name for entry in folder.iterdir() if entry.name.startswith(".")]

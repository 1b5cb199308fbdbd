"""The duties of an executor that hands a worker several trials at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from automl.engine.execution.base import Executor
from automl.engine.trial.contract import Status, StopReason, TrialResult, TrialSpec
from automl.testing.driving import results_of, run_trials, wait_for
from automl.testing.executor_tests import ExecutorTests

__all__ = ["BatchTests"]


class BatchTests(ExecutorTests):
    """Trials behind one that waits for a file: some are in its batch, on the same worker, and some are not."""

    may_lose_news: ClassVar[bool] = False
    """True excuses an executor that cannot tell which trials of a dead worker had begun."""

    @pytest.fixture
    def quick(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        """The executor has learned that trials last milliseconds, and accepts more than it has workers for."""
        if not self.parallel:
            pytest.skip("this executor has one slot")
        wait_for(lambda: bool(run_trials(executor, *(trial("nothing") for _ in range(8)))) and executor.ahead > 0)

    @pytest.fixture
    def gate(self, tmp_path: Path) -> Path:
        return tmp_path / "gate"

    def submitted(
        self, executor: Executor, trial: Callable[..., TrialSpec], gate: Path, then: str
    ) -> tuple[Sequence[TrialSpec], Sequence[TrialSpec]]:
        """Trials that wait for the gate, one for each worker, with trials around them that do nothing."""
        each = executor.ahead // executor.slots
        waiting = [trial("await_file", path=str(gate), then=then) for _ in range(executor.slots)]
        others = [trial("nothing") for _ in range(each * executor.slots)]
        for place, spec in enumerate(waiting):
            for before in others[place * each : place * each + 1]:
                executor.submit(before)
            executor.submit(spec)
            for behind in others[place * each + 1 : (place + 1) * each]:
                executor.submit(behind)
        return waiting, others

    def test_results_arrive_one_by_one(
        self, executor: Executor, trial: Callable[..., TrialSpec], quick: None, gate: Path
    ) -> None:
        """Those before a long trial do not wait for it, and those behind it are not lost."""
        waiting, others = self.submitted(executor, trial, gate, then="nothing")
        early = results_of(executor, 1)
        assert {spec.number for spec in waiting}.isdisjoint(early)
        gate.touch()
        results = early | results_of(executor, len(waiting) + len(others) - len(early))
        assert set(results) == {spec.number for spec in (*waiting, *others)}
        assert {result.status for result in results.values()} == {Status.COMPLETED}

    def test_a_stop_reaches_each_trial_of_a_batch(
        self, executor: Executor, trial: Callable[..., TrialSpec], quick: None, gate: Path
    ) -> None:
        """Also those that have not begun, which then never do, while the one before them continues."""
        waiting, others = self.submitted(executor, trial, gate, then="nothing")
        early = results_of(executor, 1)
        behind = {spec.number for spec in others} - set(early)
        for number in behind:
            executor.stop(number, StopReason.CANCELLED, grace=60.0)
        stopped = results_of(executor, len(behind))
        assert set(stopped) == behind
        gate.touch()
        assert {result.status for result in results_of(executor, len(waiting)).values()} == {Status.COMPLETED}
        never_begun = [result for result in stopped.values() if result.status is Status.CANCELLED]
        assert never_begun
        assert not any((others[0].directory.parent / f"{result.number:05d}").exists() for result in never_begun)
        self.assert_usable(executor, trial)

    def test_a_stop_of_the_running_trial_leaves_the_rest_of_its_batch(
        self, executor: Executor, trial: Callable[..., TrialSpec], quick: None, gate: Path
    ) -> None:
        waiting, others = self.submitted(executor, trial, gate, then="obey")
        gate.touch()
        for spec in waiting:
            executor.stop(spec.number, StopReason.PRUNED, grace=60.0)
        results = results_of(executor, len(waiting) + len(others))
        assert {results[spec.number].status for spec in waiting} == {Status.PRUNED}
        assert {results[spec.number].status for spec in others} == {Status.COMPLETED}

    def test_a_dead_worker_interrupts_what_it_ran_and_blames_nothing_else(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None, quick: None, gate: Path
    ) -> None:
        waiting, others = self.submitted(executor, trial, gate, then="kill_self")
        early = results_of(executor, 1)
        gate.touch()
        late = results_of(executor, len(waiting) + len(others) - len(early))
        assert {result.status for result in early.values()} == {Status.COMPLETED}
        assert {late[spec.number].status for spec in waiting} == {Status.INTERRUPTED}
        assert self.may_lose_news or all(late[spec.number].started_at for spec in waiting)
        self.assert_blameless(executor, others, late)

    def test_a_worker_killed_for_one_trial_costs_no_other_an_attempt(
        self, executor: Executor, trial: Callable[..., TrialSpec], kills: None, quick: None, gate: Path
    ) -> None:
        waiting, others = self.submitted(executor, trial, gate, then="nothing")
        early = results_of(executor, 1)
        for spec in waiting:
            executor.stop(spec.number, StopReason.PRUNED, grace=0.0)  # those behind the gate do not listen
        late = results_of(executor, len(waiting) + len(others) - len(early))
        assert {late[spec.number].status for spec in waiting} == {Status.PRUNED}
        self.assert_blameless(executor, others, late)

    def assert_blameless(
        self, executor: Executor, others: Sequence[TrialSpec], results: Mapping[int, TrialResult]
    ) -> None:
        """`others` were run, or were lost with the news of them where news may be lost, and are to be run again."""
        ended = {number: result.status for number, result in results.items() if number in {o.number for o in others}}
        lost = {number for number, status in ended.items() if status is Status.INTERRUPTED}
        assert self.may_lose_news or not lost
        assert {status for number, status in ended.items() if number not in lost} <= {Status.COMPLETED}
        again = [replace(spec, attempt=2) for spec in others if spec.number in lost]
        retried = run_trials(executor, *again)
        assert sorted((event.number, event.attempt) for event in retried) == sorted((number, 2) for number in lost)

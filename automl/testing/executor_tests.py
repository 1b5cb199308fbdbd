"""The parts that all tests of executors share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from automl.engine.execution.base import Executor
from automl.engine.trial.contract import Status, StopReason, TrialContext, TrialLimits, TrialResult, TrialSpec
from automl.testing.behaviours import Behaviours
from automl.testing.driving import run_trials

__all__ = ["ExecutorTests"]


class ExecutorTests:
    """Fixtures of all tests of executors. One executor serves all tests of a class, whatever they do to its workers."""

    hard_kill: ClassVar[bool] = True
    """False excuses an executor whose trials run in the caller's process from all that needs a kill."""
    parallel: ClassVar[bool] = True
    """False for an executor with one slot."""
    numbers: ClassVar[Iterator[int]] = itertools.count()

    def make_executor(self) -> Executor:
        """A new executor that has not been started, with at least two workers if it can have them."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    def executor(self) -> Iterator[Executor]:
        executor = self.make_executor()
        executor.start(TrialContext(Behaviours()))
        yield executor
        executor.close()

    @pytest.fixture
    def kills(self) -> None:
        if not self.hard_kill:
            pytest.skip("this executor cannot kill")

    @pytest.fixture
    def trial(self, tmp_path: Path) -> Callable[..., TrialSpec]:
        """Make specs: `trial("behaviour", seconds=..., memory=..., seed=..., **params)`."""
        (tmp_path / "trials").mkdir()

        def make(
            behaviour: str, *, seconds: float | None = None, memory: int | None = None, seed: int = 0, **params: Any
        ) -> TrialSpec:
            number = next(self.numbers)
            limits = TrialLimits(seconds, memory)
            return TrialSpec(number, behaviour, params, tmp_path / "trials" / f"{number:05d}", seed, limits=limits)

        return make

    def result(self, executor: Executor, spec: TrialSpec, **options: Any) -> TrialResult:
        """Run one trial."""
        event = run_trials(executor, spec, **options)[-1]
        assert isinstance(event, TrialResult)
        assert event.number == spec.number
        return event

    def stopped(self, executor: Executor, spec: TrialSpec, reason: StopReason, grace: float) -> TrialResult:
        """Run one trial that is told to stop at its first report."""
        return self.result(executor, spec, on_report=lambda r: executor.stop(r.number, reason, grace=grace))

    def assert_usable(self, executor: Executor, trial: Callable[..., TrialSpec]) -> None:
        """Check that every slot still runs trials."""
        events = run_trials(executor, *(trial("compute", scale=1.0) for _ in range(executor.slots)))
        assert all(e.status is Status.COMPLETED for e in events if isinstance(e, TrialResult))

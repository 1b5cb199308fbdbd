"""The inline executor."""

from __future__ import annotations

from pathlib import Path

from automl.client import Run
from automl.engine.execution.base import Executor
from automl.engine.execution.inline import InlineExecutor
from automl.engine.trial.contract import Outcome, Status, TrialContext, TrialResult, TrialSpec
from automl.testing.driving import run_trials
from automl.testing.executors import ExecutorSuite


class TestInlineExecutor(ExecutorSuite):
    hard_kill = False
    parallel = False

    def make_executor(self) -> Executor:
        return InlineExecutor()


class NoRecord:
    """Its outcome cannot become a result."""

    metric = "score"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        return Outcome(value=1.0, predict_latency="soon")  # type: ignore[arg-type]


def test_what_goes_wrong_beside_the_work_is_a_result_too(tmp_path: Path) -> None:
    executor = InlineExecutor()
    executor.start(TrialContext(NoRecord()))
    try:
        (result,) = run_trials(executor, TrialSpec(0, "a", {}, tmp_path / "00000"))
    finally:
        executor.close()
    assert isinstance(result, TrialResult)
    assert result.status is Status.FAILED
    assert result.failure is not None
    assert result.failure.kind == "ValidationError"

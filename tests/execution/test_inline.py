"""The inline executor."""

from __future__ import annotations

from automl.execution.base import Executor
from automl.execution.inline import InlineExecutor
from automl.testing.executors import ExecutorSuite


class TestInlineExecutor(ExecutorSuite):
    hard_kill = False
    parallel = False

    def make_executor(self) -> Executor:
        return InlineExecutor()

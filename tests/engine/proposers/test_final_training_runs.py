"""Searches with a final training on real executors: alone, with all cores and the time that is left; it survives."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.client import Run, TrialPruned
from automl.deadline import Deadline
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.admission.time import Admission
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.registry import make_executor
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.final_training import FinalTraining, anytime_algorithms
from automl.engine.proposers.portfolio import Portfolio
from automl.engine.proposers.sampled import SamplerProposer
from automl.engine.proposers.time_allocation import TimeAllocation
from automl.engine.pruners.registry import make_pruner
from automl.engine.samplers.registry import make_sampler
from automl.engine.search.driver import Driver
from automl.engine.search.options import LimitsOptions
from automl.engine.search.submission import Terms
from automl.engine.space.space import SearchSpace
from automl.engine.stopping.registry import criteria_of
from automl.engine.study.history import History
from automl.engine.study.proposal import ProposerChain
from automl.engine.trial.contract import Outcome, Status, TrialContext, TrialResult, TrialSpec
from automl.engine.trial.cores import usable_cores
from automl.engine.trial.objective import Objective
from automl.engine.trial.records import read_proposed, read_result
from automl.engine.trial.stage import Stage
from automl.engine.trial.steps import Steps
from automl.engine.workspace.layout import Workspace
from automl.testing.behaviours import METRIC

RATES = [0.1, 0.9, 0.5]
SPACE = SearchSpace.model_validate(
    {
        "algorithms": {
            "quick": {"params": {}},
            "net": {"anytime": True, "params": {"rate": {"type": "float", "low": 0.0, "high": 1.0}}},
        },
        "portfolio": [{"algorithm": "quick"}, *({"algorithm": "net", "params": {"rate": rate}} for rate in RATES)],
    }
)
QUICKLY = TimeAllocation(explores_from=1.0, exploring=0.5, part=0.05, least=0.2, least_final_training=0.5)
"""Stages of a search that takes seconds."""


@dataclass(frozen=True)
class Training:
    """The quick one ends at once; a net trains for as long as was allotted, and its score grows with its seconds.

    Attributes:
        dies: a final training's first attempt kills its worker.
        fails: final trainings of this rate fail.
        enough: seconds after which a net has trained enough.
    """

    metric: str = METRIC
    dies: bool = False
    fails: float | None = None
    enough: float = 1e9

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        began = time.monotonic()
        if spec.algorithm == "quick":
            return Outcome(value=0.01, metrics=self._seen(spec, began, 0.0))
        allotted = min(run.allotted_seconds_left, self.enough)
        state = run.checkpoint / "seconds.txt"
        before = float(state.read_text()) if state.exists() else 0.0
        if spec.resources.alone:
            if self.fails == spec.params["rate"]:
                raise ArithmeticError("the loss is not a number")
            if self.dies and spec.attempt == 1:
                state.write_text("7.5")
                os.kill(os.getpid(), signal.SIGKILL)
        while (done := time.monotonic() - began) < 0.9 * allotted:
            run.log(METRIC, spec.params["rate"] * done / allotted, step=int(10 * done / allotted))
            if run.should_stop:
                raise TrialPruned
            time.sleep(0.005)
        value = spec.params["rate"] + (1.0 if spec.resources.alone else 0.0)
        return Outcome(value=value, metrics=self._seen(spec, began, before), fit_seconds=done, cut_short=True)

    def _seen(self, spec: TrialSpec, began: float, before: float) -> dict[str, float]:
        return {
            "began": began,
            "ended": time.monotonic(),
            "threads": spec.resources.threads,
            "before": before,
            "checkpoint": float(spec.lineage.checkpoint is not None),
        }


Training.__module__ = "__main__"  # so that it travels by value: workers cannot import this file


class Search:
    """A search in a directory of its own.

    Args:
        sampled: what the portfolio does not hold is tried as well.
    """

    def __init__(
        self,
        place: Path,
        work: Training,
        *,
        sampled: bool = True,
        time_allocation: TimeAllocation = QUICKLY,
        max_trials: int | None = None,
    ) -> None:
        self.directory = Workspace(place).create_experiment("final_training")
        self.work, self.sampled, self.time_allocation, self.max_trials = work, sampled, time_allocation, max_trials

    @contextmanager
    def driver(self, executor: str, seconds: float, *, workers: int = 1, pruner: str = "none") -> Iterator[Driver]:
        compute = ComputeOptions(executor=executor, max_workers=workers)
        runner = make_executor(compute, Deadline.after(None))
        sampled = SamplerProposer(
            SPACE, make_sampler(ComponentOptions(name="tpe")), objective=Objective("score"), seed=0, measured=True
        )
        history = History(
            self.directory.journal,
            objective=Objective("score"),
            pruner=make_pruner(ComponentOptions(name=pruner)),
            steps=Steps(100, part=100),
        )
        try:
            runner.start(TrialContext(self.work))
            deadline = Deadline.after(seconds)
            yield Driver(
                Terms(self.directory, Objective(METRIC), cores=usable_cores()),
                proposer=FinalTraining(
                    ProposerChain([Portfolio(SPACE), *([sampled] if self.sampled else [])]),
                    SPACE,
                    deadline=deadline,
                    reserve=lambda: 0.0,
                    objective=Objective("score"),
                    most=self.max_trials,
                    time_allocation=self.time_allocation,
                ),
                history=history,
                executor=runner,
                criteria=criteria_of(LimitsOptions(time_budget=seconds, max_trials=self.max_trials)),
                admission=Admission(SPACE.algorithms, allotted=anytime_algorithms(SPACE)),
                memory=MemoryAdmission(SPACE.algorithms),
                deadline=deadline,
            )
        finally:
            runner.close()
            history.close()

    def run(self, executor: str, seconds: float, **options: Any) -> list[TrialResult]:
        with self.driver(executor, seconds, **options) as driver:
            for _ in driver.run():
                pass
        return self.results()

    def results(self) -> list[TrialResult]:
        found = [read_result(self.directory.trial(number)) for number in self.directory.trial_numbers()]
        assert None not in found
        return [result for result in found if result is not None]

    def stage(self, number: int) -> Stage:
        proposed = read_proposed(self.directory.trial(number))
        assert proposed is not None and proposed.stage is not None
        return proposed.stage

    def final_trainings(self) -> list[TrialResult]:
        return [result for result in self.results() if self.stage(result.number).final]


def test_the_best_configuration_is_trained_last_alone_and_longest(tmp_path: Path) -> None:
    short = replace(QUICKLY, part=0.3 / 60)
    search = Search(tmp_path, Training(enough=5.0), max_trials=8, time_allocation=short)
    results = search.run("process", 60.0, workers=2)
    (final,) = search.final_trainings()
    explored = [r for r in results if r.algorithm == "net" and r.number != final.number]
    assert final.status is Status.COMPLETED
    assert final.number == results[-1].number
    best = max((r for r in explored if r.status is Status.COMPLETED), key=lambda r: r.value or 0.0)
    assert final.parent == best.number
    assert final.metrics["threads"] == usable_cores()
    assert final.metrics["checkpoint"] == 0, "it is trained from the start"
    assert all(r.metrics["threads"] == 1 for r in explored)
    assert all(r.metrics["ended"] <= final.metrics["began"] for r in results if r.number != final.number)
    assert final.fit_seconds > 3 * max(r.fit_seconds for r in explored)
    assert final.cut_short


def test_a_short_budget_has_its_final_training_after_one_quick_trial(tmp_path: Path) -> None:
    search = Search(
        tmp_path, Training(enough=0.5), max_trials=2, time_allocation=TimeAllocation(least_final_training=0.5)
    )
    results = search.run("inline", 60.0)
    assert [(result.algorithm, result.status) for result in results] == [
        ("quick", Status.COMPLETED),
        ("net", Status.COMPLETED),
    ]
    assert search.stage(1) == Stage.final_training()
    assert [result.metrics["threads"] for result in results] == [usable_cores()] * 2


def test_a_final_training_that_fails_gives_its_time_to_the_next_best(tmp_path: Path) -> None:
    search = Search(tmp_path, Training(fails=0.9, enough=0.5), max_trials=6, sampled=False)
    results = search.run("inline", 60.0)
    failed, final = search.final_trainings()
    assert failed.status is Status.FAILED
    assert (final.status, final.value) == (Status.COMPLETED, 1.5)
    assert [results[r.parent].value for r in (failed, final) if r.parent is not None] == [0.9, 0.5]


def test_a_final_training_whose_worker_dies_is_run_again_as_the_same(tmp_path: Path) -> None:
    search = Search(tmp_path, Training(dies=True, enough=0.5), max_trials=4)
    results = search.run("process", 60.0)
    final = results[-1]
    assert (final.status, final.attempt) == (Status.COMPLETED, 2)
    assert final.metrics["threads"] == usable_cores()
    assert final.metrics["before"] == 7.5, "it goes on from its own checkpoint"


def test_a_final_training_that_was_cut_is_gone_on_with_alone(tmp_path: Path) -> None:
    search = Search(tmp_path, Training(), max_trials=4)
    with search.driver("process", 60.0, workers=2) as driver:
        for state in driver.run():
            if any(trial.final for trial in state.running):
                break
    number = state.proposed - 1
    assert not search.directory.trial(number).result.exists()
    search.work = Training(enough=0.5)
    results = search.run("process", 60.0, workers=2)
    final = results[number]
    assert search.stage(number) == Stage.final_training()
    assert (final.status, final.attempt) == (Status.COMPLETED, 2)
    assert final.metrics["threads"] == usable_cores()


def test_a_final_training_keeps_the_time_that_it_was_promised(tmp_path: Path) -> None:
    """The registry may turn out to be slower than thought: then it has to wait, and not the model be lost."""
    search = Search(tmp_path, Training(enough=1.0), max_trials=2)
    reserve = [0.0]
    with search.driver("inline", 30.0) as driver:
        driver._submissions._reserve = lambda: reserve[0]
        for state in driver.run():
            if any(trial.final for trial in state.running):
                reserve[0] = 29.9
    assert state.counts == {Status.COMPLETED: 2}


def test_racing_stops_nets_by_nets(tmp_path: Path) -> None:
    """All of them report in proportion to their rate: the portfolio's best makes the others hopeless."""
    search = Search(tmp_path, Training(enough=1.0), max_trials=14, time_allocation=replace(QUICKLY, part=0.4 / 60))
    results = search.run("inline", 60.0, pruner="racing")
    pruned = [result for result in results if result.status is Status.PRUNED]
    assert pruned
    assert all(search.stage(result.number).seconds is not None for result in pruned)
    (final,) = search.final_trainings()
    assert final.status is Status.COMPLETED

"""Trials that go on from others, on real executors: checkpoints, second attempts, resumed searches, PBT that pays."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from automl.client import Run
from automl.deadline import Deadline
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.admission.time import Admission
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.registry import make_executor
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.sampled import make_proposer
from automl.engine.pruners.registry import make_pruner
from automl.engine.samplers.registry import make_sampler
from automl.engine.search.driver import Driver
from automl.engine.search.options import LimitsOptions
from automl.engine.search.submission import Terms
from automl.engine.space.space import SearchSpace
from automl.engine.stopping.registry import criteria_of
from automl.engine.study.history import History
from automl.engine.trial.contract import Outcome, Status, TrialContext, TrialResult, TrialSpec
from automl.engine.trial.objective import Objective
from automl.engine.trial.records import read_result
from automl.engine.workspace.layout import ExperimentDirectory, Workspace

RATE = SearchSpace.model_validate(
    {"algorithms": {"sgd": {"params": {"rate": {"type": "float", "low": 1e-3, "high": 1.0, "log": True}}}}}
)


class Counting:
    """Counts epochs up to its share of them, an epoch at a time, and keeps the count in its checkpoint."""

    metric = "epochs"
    epochs = 12

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        own = run.checkpoint / "epochs.txt"
        found = own if own.exists() else run.parent_checkpoint / "epochs.txt" if run.parent_checkpoint else None
        begun = epoch = int(found.read_text()) if found is not None else 0
        while epoch < round(spec.fidelity * self.epochs):
            epoch += 1
            (run.checkpoint / "draft").write_text(str(epoch))
            os.replace(run.checkpoint / "draft", own)
            self.after(epoch, spec)
        return Outcome(value=float(spec.params["rate"]), metrics={"begun": begun, "epochs": epoch})

    def after(self, epoch: int, spec: TrialSpec) -> None:
        """Nothing goes wrong."""


class Dying(Counting):
    """Its worker is killed in the first attempt, after two epochs of its own."""

    def after(self, epoch: int, spec: TrialSpec) -> None:
        if spec.attempt == 1 and epoch == 2:
            os.kill(os.getpid(), signal.SIGKILL)


class Descent:
    """Noisy gradient descent on a quadratic: large steps first and small ones later are best.

    A constant rate ends at a noise proportional to itself; one that is small from the beginning does not arrive.
    """

    metric = "loss"
    steps = 400
    start = 30.0
    dimensions = 64

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        import numpy as np

        done, point = 0, np.full(self.dimensions, self.start)
        if run.parent_checkpoint is not None:
            with np.load(run.parent_checkpoint / "state.npz") as state:
                done, point = int(state["done"]), state["point"]
        noise = np.random.default_rng(spec.seed)
        goal = round(spec.fidelity * self.steps)
        for _ in range(done, goal):
            point = point - spec.params["rate"] * (point + noise.normal(scale=3.0, size=len(point)))
        np.savez(run.checkpoint / "state.npz", done=goal, point=point)
        return Outcome(value=float(np.mean(point**2)), metrics={"steps": goal - done})


class Search:
    """A search over `work` in a directory of its own."""

    def __init__(self, place: Path, work: Any, *, maximize: bool = True, seed: int = 0) -> None:
        self.directory = Workspace(place).create_experiment("lineage")
        self.work, self.maximize, self.seed = work, maximize, seed

    @contextmanager
    def driver(self, executor: str, sampler: ComponentOptions, max_trials: int) -> Iterator[Driver]:
        proposer = make_proposer(
            make_sampler(sampler), RATE, objective=Objective("score", self.maximize), seed=self.seed, measured=False
        )
        pruner = make_pruner(ComponentOptions(name="median"))
        history = History(self.directory.journal, objective=Objective("score", self.maximize), pruner=pruner)
        deadline = Deadline.after(None)
        runner = make_executor(ComputeOptions(executor=executor, max_workers=2), deadline)
        try:
            runner.start(TrialContext(self.work))
            yield Driver(
                Terms(self.directory, Objective(self.work.metric, self.maximize), seed=self.seed),
                proposer=proposer,
                history=history,
                executor=runner,
                criteria=criteria_of(LimitsOptions(max_trials=max_trials)),
                admission=Admission(RATE.algorithms),
                memory=MemoryAdmission(RATE.algorithms),
                deadline=deadline,
            )
        finally:
            runner.close()
            history.close()

    def run(self, executor: str, sampler: ComponentOptions, max_trials: int) -> list[TrialResult]:
        with self.driver(executor, sampler, max_trials) as driver:
            for _ in driver.run():
                pass
        return results(self.directory)


def results(directory: ExperimentDirectory) -> list[TrialResult]:
    found = [read_result(directory.trial(number)) for number in directory.trial_numbers()]
    return [result for result in found if result is not None]


def by_value(cls: type) -> type:
    """Make `cls` travel by value, as a class of the user's script does: workers cannot import this file."""
    cls.__module__ = "__main__"
    return cls


for _kind in (Counting, Dying, Descent):
    by_value(_kind)

PBT = ComponentOptions(name="pbt", options={"population": 3, "generations": 4})


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_child_goes_on_where_its_parent_ended(tmp_path: Path, executor: str) -> None:
    trials = Search(tmp_path, Counting()).run(executor, PBT, 12)
    assert {result.status for result in trials} == {Status.COMPLETED}
    reached = {result.number: result.metrics["epochs"] for result in trials}
    for result in trials:
        assert result.metrics["begun"] == (0 if result.parent is None else reached[result.parent])
        assert result.metrics["epochs"] == round(12 * result.fidelity)
    assert sum(result.parent is not None for result in trials) == 9


def test_the_record_says_where_a_trial_comes_from(tmp_path: Path) -> None:
    search = Search(tmp_path, Counting())
    trials = search.run("inline", PBT, 12)
    last = trials[-1]
    written = json.loads(search.directory.trial(last.number).params.read_text())
    assert (written["parent"], written["fidelity"]) == (last.parent, last.fidelity)
    assert written["notes"] == {"population": 0, "member": 2, "generation": 3}
    assert last.outputs == ()  # a checkpoint is none


def test_only_the_whole_work_can_be_best(tmp_path: Path) -> None:
    search = Search(tmp_path, Counting())
    with search.driver("inline", PBT, 10) as driver:
        *_, last = driver.run()
    assert last.best is not None
    assert last.best.result.number == 9  # the first of the last generation


def test_a_second_attempt_finds_its_own_checkpoint(tmp_path: Path) -> None:
    alone = ComponentOptions(name="pbt", options={"population": 2, "generations": 2})
    (first,) = Search(tmp_path, Dying()).run("process", alone, 1)
    assert (first.status, first.attempt) == (Status.COMPLETED, 2)
    assert first.metrics == {"begun": 2, "epochs": 6}


def test_a_resumed_search_knows_parents_and_fidelity(tmp_path: Path) -> None:
    whole = Search(tmp_path / "whole", Counting()).run("inline", PBT, 12)
    cut = Search(tmp_path / "cut", Counting())
    with cut.driver("inline", PBT, 12) as driver:
        for state in driver.run():
            if state.finished == 5 and state.running:
                break
    resumed = cut.run("inline", PBT, 12)
    told = [(r.number, r.parent, r.fidelity, r.value, r.metrics["epochs"]) for r in resumed]
    assert told == [(r.number, r.parent, r.fidelity, r.value, r.metrics["epochs"]) for r in whole]


def test_a_part_of_the_work_is_the_same_part_where_trial_json_is_lost(tmp_path: Path) -> None:
    search = Search(tmp_path, Counting())
    search.run("inline", PBT, 3)
    search.directory.trial(0).result.unlink()
    with search.driver("inline", PBT, 3) as driver:
        first, *_ = driver.run()
    assert first.new[0].result.fidelity == 0.25
    assert first.best is None


def test_a_part_of_the_work_is_never_pruned(tmp_path: Path) -> None:
    """Its values are those of a smaller task: the population's own selection judges it."""
    pruner = make_pruner(ComponentOptions(name="median", options={"n_startup_trials": 1, "n_min_trials": 1}))
    history = History(tmp_path / "study.journal", objective=Objective("score"), pruner=pruner)
    first = history.add("sgd", {}, {}, elapsed=0.0)
    history.report(first, 1, 0.9)
    history.tell(TrialResult(number=first, algorithm="sgd", status=Status.COMPLETED, value=0.9))
    whole = history.add("sgd", {}, {}, elapsed=0.0)
    part = history.add("sgd", {}, {}, elapsed=0.0, parent=first, fidelity=0.5)
    assert history.report(whole, 1, 0.1)
    assert not history.report(part, 1, 0.1)
    history.close()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_population_learns_a_schedule_that_random_search_cannot(tmp_path: Path, seed: int) -> None:
    """The same number of steps, 3,200: eight members of twenty generations, or eight trials with a constant rate."""
    population = ComponentOptions(name="pbt", options={"population": 8, "generations": 20, "perturb": [0.5, 2.0]})

    def best(name: str, sampler: ComponentOptions, trials: int) -> float:
        found = Search(tmp_path / name, Descent(), maximize=False, seed=seed).run("inline", sampler, trials)
        assert sum(result.metrics["steps"] for result in found) == 3_200
        return min(result.value for result in found if result.value is not None and result.fidelity == 1.0)

    assert best("pbt", population, 160) < 0.5 * best("random", ComponentOptions(name="random"), 8)

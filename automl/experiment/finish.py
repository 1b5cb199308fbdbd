"""From the end of a search to its result: pick the winner, register it, test it, let MLflow catch up."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

from automl.config.schema import ExperimentConfig
from automl.deadline import Deadline
from automl.engine.execution.base import Executor
from automl.engine.search.problem import Problem
from automl.engine.study.state import SearchState
from automl.engine.trial.contract import TrialResult
from automl.engine.workspace.layout import ExperimentDirectory
from automl.engine.workspace.lock import locked
from automl.errors import NoModelError, RegistryError
from automl.experiment.logfile import logged_to
from automl.experiment.models.refit import refit
from automl.experiment.models.registration import candidate_for, note_registered, registered_before
from automl.experiment.no_model import no_model
from automl.experiment.reserve import WAY_OUT, Reserve
from automl.experiment.result import Result
from automl.experiment.results.objectives import Objectives
from automl.experiment.results.phases import Phases
from automl.experiment.results.pruning import Pruning
from automl.experiment.results.selection import Pick, nothing_within_limits, pick_partial, pick_winner
from automl.experiment.results.summary import Summary
from automl.experiment.results.winner import Winner
from automl.experiment.salvage import with_what_is_left
from automl.experiment.tracker import Tracker
from automl.registry.candidate import RegisteredModel
from automl.registry.register import register
from automl.tracking.owed import is_owed

__all__ = ["Finish", "SearchOutcome", "end_delivery"]

log = logging.getLogger("automl")

_OUT_OF_TIME = "time_budget: it ran out while the search was busy"


@dataclass(frozen=True)
class SearchOutcome:
    """The outcome of a search.

    Attributes:
        last: its last state.
        completed: all whole trials that completed, where the winner may be another than the best score; else none.
        pruning: what was saved by stopping early, None if nothing was stopped.
    """

    problem: Problem
    objectives: Objectives
    last: SearchState
    completed: Sequence[TrialResult]
    pruning: Pruning | None


@dataclass(frozen=True)
class Finish:
    """The end of a search.

    Attributes:
        config: what was declared, with what it was extended by.
        directory: the experiment's.
        deadline: its clock.
        phases: where the time goes.
        reserve: what was kept of it.
        tracker: MLflow.
        on_result: called with a function that delivers the result as it stands, once there is one: whatever follows
            may be cut off.
    """

    config: ExperimentConfig
    directory: ExperimentDirectory
    deadline: Deadline
    phases: Phases
    reserve: Reserve
    tracker: Tracker
    on_result: Callable[[Callable[[], Result]], None] = lambda deliver: None

    def deliver(self, found: SearchOutcome, executor: Executor) -> Result:
        """Close `executor` meanwhile.

        Raises:
            NoModelError: no trial has left a model, or none that the limits on models allow.
        """
        picked = self._pick(found)
        for name, seconds in self.reserve.plan().items():
            self.phases.plan(name, seconds)
        self._have_models(found, picked.result)
        self.tracker.expect_end()
        summary = self._picked(found, picked)
        registered, note = self._register(summary, picked.result)
        summary = summary.model_copy(update={"registered": registered, "not_registered": note})
        self.on_result(partial(self._as_it_stands, summary))
        summary = self._test(found, summary, picked.result)
        with self.phases.measure("close"):
            executor.close()
        self.on_result(partial(self._as_it_stands, summary))
        self._as_it_stands(summary)  # whatever happens from here on: this is the result
        with self.phases.measure("mirror"):
            self.tracker.finish(
                self._seconds_for_the_end(),
                winner=summary.winner,
                stopped_because=summary.stopped_because,
                registered=registered,
            )
        return self._as_it_stands(summary)

    def deliver_at_once(self, found: SearchOutcome) -> Result:
        """Deliver the best so far, without test scores: for a process that is ended while it is doing something else.

        MLflow hears of it afterwards. Where no trial has ended with a model, the folds that a running one has completed
        are it: its worker has to be gone.

        Raises:
            NoModelError: no trial has left a model, or none that the limits on models allow.
        """
        found = replace(found, last=with_what_is_left(found.last, self.directory, found.objectives))
        if found.last.best is None and found.last.partial is None:
            raise self._no_model(replace(found.last, stopped_because=_OUT_OF_TIME), found.problem)
        picked = self._pick(found)
        because = found.last.stopped_because or _OUT_OF_TIME
        summary = self._picked(found, picked).model_copy(update={"stopped_because": because})
        self._as_it_stands(summary)  # registering may be cut
        registered, note = self._register(summary, picked.result)
        return self._as_it_stands(summary.model_copy(update={"registered": registered, "not_registered": note}))

    def _pick(self, found: SearchOutcome) -> Pick:
        """The winner: of the whole trials, else what the clock has left of one."""
        last = found.last
        if last.best is not None:
            return pick_winner(last.best.result, found.completed, found.objectives)
        if last.partial is None:
            raise self._nothing(found)
        picked = pick_partial(last.partial.result)
        log.warning("trial %d is delivered. %s", picked.result.number, picked.why)
        return picked

    def _nothing(self, found: SearchOutcome) -> NoModelError:
        """Return the error that says why there is no winner; trials that completed can still be registered."""
        self.tracker.expect_end()
        self.tracker.finish(self._seconds_for_the_end(), stopped_because=found.last.stopped_because or "")
        if not found.completed:
            return self._no_model(found.last, found.problem)
        self._as_it_stands(self._summary(found))
        return nothing_within_limits(found.completed, found.objectives, self.directory)

    def _no_model(self, last: SearchState, problem: Problem) -> NoModelError:
        return no_model(last, self.directory, self.deadline, first_part=problem.first_part)

    def _have_models(self, found: SearchOutcome, best: TrialResult) -> None:
        """Models of an earlier session may have been collected since."""
        if not self.directory.trial(best.number).has_models:
            with self.phases.measure("refit"):
                refit(found.problem, self.config, self.directory, best)

    def _picked(self, found: SearchOutcome, picked: Pick) -> Summary:
        winner = Winner.of(picked.result, self.directory, picked.why)
        return self._summary(found).model_copy(update={"winner": winner})

    def _test(self, found: SearchOutcome, summary: Summary, best: TrialResult) -> Summary:
        """The summary with the winner's scores on the test rows, if there are any."""
        with self.phases.measure("test"):
            tested = found.problem.test(self.directory.trial(best.number).models)
        return summary.model_copy(update={"test_metrics": tested})

    def _as_it_stands(self, summary: Summary) -> Result:
        """Write `summary` with the time used until now: the result, unless a later one takes its place."""
        budget = self.phases.budget()
        phases = tuple(asdict(phase) for phase in budget.phases)
        summary = summary.model_copy(update={"seconds": budget.spent, "phases": phases})
        summary.write(self.directory)
        return Result(self.directory, summary)

    def _register(self, summary: Summary, best: TrialResult) -> tuple[RegisteredModel | None, str]:
        """The new version; or None, and why there is none (nothing where none was wanted)."""
        before = registered_before(self.directory, best.number, self.config.registry)
        if self.config.registry is None:
            return before, ""
        with self.phases.measure("register"):
            try:
                candidate = candidate_for(self.config, self.directory, summary, best)
                if candidate is None:
                    return before, f"the task {self.config.task} makes no model"
                registered = register(candidate, patience=self._seconds_to_check())
            except RegistryError as error:
                if before is not None:
                    return before, ""
                note = f"{str(error).rstrip('.')}; {_how_to_register(self.directory)}"
                log.warning("not registered: %s", note)
                return None, note
        note_registered(self.directory, best.number, registered)
        return registered, ""

    def _seconds_to_check(self) -> float | None:
        """Return how long loading back a model that no worker has checked may take."""
        return max(0.0, self.deadline.remaining() - self.reserve.seconds()) if self.deadline.limited else None

    def _seconds_for_the_end(self) -> float:
        """Return how long MLflow has to catch up: all the time that is left, except for the way out."""
        return max(0.0, self.deadline.remaining() - WAY_OUT) if self.deadline.limited else math.inf

    def _summary(self, found: SearchOutcome) -> Summary:
        """Return the summary without its winner."""
        problem, last = found.problem, found.last
        return Summary(
            experiment=self.directory.name,
            id=self.directory.id,
            task=problem.task,
            metric=problem.objective.name,
            maximize=problem.objective.maximize,
            winner=None,
            stopped_because=last.stopped_because or "",
            counts={status.value: count for status, count in last.counts.items()},
            pruning=found.pruning,
            seconds=round(self.deadline.spent(), 3),
            time_budget=self.config.limits.time_budget,
            exclusions=tuple({"algorithm": e.algorithm, "reason": e.reason} for e in problem.exclusions),
            **problem.record(),
        )


def _how_to_register(directory: ExperimentDirectory) -> str:
    return f"the model is saved: 'automl models register {directory.path}' registers it"


def end_delivery(config: ExperimentConfig, directory: ExperimentDirectory, summary: Summary) -> Result:
    """Do what is left for an experiment that has its result, and was cut off while MLflow caught up.

    Raises:
        WorkspaceError: another process is doing it.
    """
    with locked(directory), logged_to(directory.log):
        directory.sweep()
        shutil.rmtree(directory.cache, ignore_errors=True)
        if is_owed(directory):
            Tracker(config, directory).finish(
                0.0,
                winner=summary.winner,
                stopped_because=summary.stopped_because,
                registered=summary.registered,
            )
        return Result(directory, summary)

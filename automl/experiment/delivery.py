"""From the end of a search to its result: pick the winner, test it, register it, let MLflow catch up."""

from __future__ import annotations

import logging
import math
import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from automl.config.schema import ExperimentConfig
from automl.deadline import Deadline
from automl.errors import NoModelError, RegistryError
from automl.execution.base import Executor
from automl.experiment.evaluate import score_test
from automl.experiment.leaderboard import read_trials
from automl.experiment.logfile import logged_to
from automl.experiment.phases import Phases
from automl.experiment.preference import Preference
from automl.experiment.prepare import Problem
from automl.experiment.pruning import Pruning
from automl.experiment.refit import refit
from automl.experiment.registration import candidate_for, note_registered, registered_before
from automl.experiment.reserve import WAY_OUT, Reserve
from automl.experiment.result import Result
from automl.experiment.selection import Pick, nothing_within_limits, pick_winner
from automl.experiment.summary import Summary
from automl.experiment.tracker import Tracker
from automl.registry.candidate import RegisteredModel
from automl.search.state import SearchState
from automl.trial.contract import TrialResult
from automl.workspace.layout import ExperimentDirectory
from automl.workspace.lock import locked

__all__ = ["Delivery", "Found", "end_delivery"]

log = logging.getLogger("automl")


@dataclass(frozen=True)
class Found:
    """What a search has come to.

    Attributes:
        last: its last state.
        completed: all whole trials that completed, where the winner may be another than the best score; else none.
        pruning: what was saved by stopping early, None if nothing was stopped.
    """

    problem: Problem
    preference: Preference
    last: SearchState
    completed: Sequence[TrialResult]
    pruning: Pruning | None


@dataclass(frozen=True)
class Delivery:
    """How a search ends.

    Attributes:
        config: what was declared, with what it was extended by.
        directory: the experiment's.
        deadline: its clock.
        phases: where the time goes.
        reserve: what was kept of it.
        tracker: MLflow.
        trust: the file may name any class, and set any argument of it.
    """

    config: ExperimentConfig
    directory: ExperimentDirectory
    deadline: Deadline
    phases: Phases
    reserve: Reserve
    tracker: Tracker
    trust: bool

    def deliver(self, found: Found, executor: Executor) -> Result:
        """Close `executor` meanwhile.

        Raises:
            NoModelError: no trial completed, or none that the limits on models allow.
        """
        if found.last.best is None:
            raise self._nothing(found)
        for name, seconds in self.reserve.plan().items():
            self.phases.plan(name, seconds)
        picked = pick_winner(found.last.best.result, found.completed, found.preference)
        summary = self._test(found, picked)
        # Registration happens in another process: the workers can be ended meanwhile.
        with ThreadPoolExecutor(1) as pool:
            registering = pool.submit(self._register, summary, picked.result)
            with self.phases.measure("close"):
                executor.close()
            registered, note = registering.result()
        summary = summary.model_copy(update={"registered": registered, "not_registered": note})
        self._timed(summary).model_copy(update={"delivered": False}).write(self.directory)
        with self.phases.measure("mirror"):
            self.tracker.finish(
                self._seconds_for_the_end(), winner=picked.result.number, stopped_because=summary.stopped_because
            )
            self.tracker.close()
        summary = self._timed(summary)
        summary.write(self.directory)
        return Result(self.directory, summary)

    def _nothing(self, found: Found) -> NoModelError:
        """Why there is no winner; trials that completed can be registered nevertheless."""
        self.tracker.finish(self._seconds_for_the_end(), stopped_because=found.last.stopped_because or "")
        if not found.completed:
            return _no_model(found.last, self.directory)
        self._timed(self._summary(found)).write(self.directory)
        return nothing_within_limits(found.completed, found.preference, self.directory)

    def _test(self, found: Found, picked: Pick) -> Summary:
        """The summary with the winner's scores on the test rows, if there are any."""
        best = picked.result
        if not self.directory.trial(best.number).has_models:  # of an earlier session, and collected since
            with self.phases.measure("refit"):
                refit(found.problem, self.config, self.directory, best, trust=self.trust)
        with self.phases.measure("test"):
            tested = score_test(found.problem, self.config, self.directory.trial(best.number).models)
        winner = {"best_trial": best.number, "best_value": best.value, "picked_because": picked.why}
        return self._summary(found).model_copy(update={**winner, "test_metrics": tested})

    def _timed(self, summary: Summary) -> Summary:
        """The summary with the time as it stands now."""
        budget = self.phases.budget()
        phases = tuple(asdict(phase) for phase in budget.phases)
        return summary.model_copy(update={"seconds": budget.spent, "phases": phases})

    def _register(self, summary: Summary, best: TrialResult) -> tuple[RegisteredModel | None, str]:
        """The new version; or None, and why there is none (nothing where none was wanted)."""
        before = registered_before(self.directory, best.number, self.config.registry)
        if self.config.registry is None:
            return before, ""
        with self.phases.measure("register"):
            left = self.deadline.remaining() - WAY_OUT
            try:
                candidate = candidate_for(self.config, self.directory, summary, best)
                registered = self.tracker.register(candidate, left)
                reason = "the time budget did not reach"
            except RegistryError as error:
                registered, reason = None, str(error).rstrip(".")
        if registered is not None:
            note_registered(self.directory, best.number, registered)
            return registered, ""
        if before is not None:
            return before, ""
        note = f"{reason}; the model is saved: 'automl models register {self.directory.path}' registers it"
        log.warning("not registered: %s", note)
        return None, note

    def _seconds_for_the_end(self) -> float:
        """What MLflow may have to catch up: all that is left, but for the way out."""
        return max(0.0, self.deadline.remaining() - WAY_OUT) if self.deadline.limited else math.inf

    def _summary(self, found: Found) -> Summary:
        """All but the winner."""
        problem, last = found.problem, found.last
        classes = problem.target.classes
        return Summary(
            experiment=self.directory.name,
            id=self.directory.id,
            task=problem.task.name,
            metric=problem.primary.name,
            maximize=problem.primary.maximize,
            best_trial=None,
            best_value=None,
            stopped_because=last.stopped_because or "",
            counts={status.value: count for status, count in last.counts.items()},
            pruning=found.pruning,
            seconds=round(self.deadline.spent(), 3),
            time_budget=self.config.limits.time_budget,
            fingerprint=problem.table.fingerprint,
            split_plan=problem.plan.hash,
            validation=problem.plan.description,
            classes=None if classes is None else tuple(str(label) for label in classes),
            guardrails=tuple(
                {"name": g.name, "verdict": str(g.verdict), "message": g.message, "columns": list(g.columns)}
                for g in problem.guardrails
            ),
            exclusions=tuple({"algorithm": e.algorithm, "reason": e.reason} for e in problem.exclusions),
        )


def _no_model(last: SearchState, directory: ExperimentDirectory) -> NoModelError:
    """Why there is no model: each cause once, most frequent first."""
    failed = [result for result in read_trials(directory) if result.failure is not None]
    reasons = Counter(f"{r.failure.kind}: {r.failure.message}" for r in failed if r.failure is not None)
    causes = tuple(f"{reason} ({count} trials)" if count > 1 else reason for reason, count in reasons.most_common(5))
    if not causes and last.counts:
        ended = ", ".join(f"{count} {status.value.lower()}" for status, count in last.counts.items())
        causes = (f"the trials ended {ended}",)
    return NoModelError(
        f"No trial completed, so there is no model. The search stopped because of {last.stopped_because}.",
        causes=causes,
        directory=directory.path,
    )


def end_delivery(config: ExperimentConfig, directory: ExperimentDirectory, summary: Summary) -> Result:
    """Give MLflow the rest of an experiment that has its result, and was cut while MLflow caught up.

    Raises:
        WorkspaceError: another process is at it.
    """
    with locked(directory), logged_to(directory.log):
        tracker = Tracker(config, directory)
        try:
            tracker.finish(math.inf, winner=summary.best_trial, stopped_because=summary.stopped_because)
        finally:
            tracker.close()
        shutil.rmtree(directory.cache, ignore_errors=True)
        summary = summary.model_copy(update={"delivered": True})
        summary.write(directory)
        return Result(directory, summary)

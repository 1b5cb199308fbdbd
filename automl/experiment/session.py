"""One session of an experiment: from its data, or from where an earlier session was cut, to its result."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict

from automl.config.schema import ExperimentConfig
from automl.deadline import Deadline
from automl.display.progress import Progress
from automl.errors import NoModelError, RegistryError, WorkspaceError
from automl.execution.base import Executor
from automl.experiment.assembly import make_context, open_driver
from automl.experiment.evaluate import score_test
from automl.experiment.extension import extend_running
from automl.experiment.inputs import Inputs
from automl.experiment.interrupt import Interrupts
from automl.experiment.logfile import logged_to
from automl.experiment.phases import Phases
from automl.experiment.preference import Preference
from automl.experiment.prepare import Problem, prepare
from automl.experiment.pruning import PruningTally
from automl.experiment.refit import has_models, refit
from automl.experiment.registration import candidate_for, note_registered, registered_before
from automl.experiment.reserve import WAY_OUT, Reserve
from automl.experiment.result import Result
from automl.experiment.retention import Retention
from automl.experiment.save import save_config, save_problem
from automl.experiment.selection import nothing_within_limits, pick_winner
from automl.experiment.summary import Summary
from automl.experiment.tracker import Tracker
from automl.registry.candidate import RegisteredModel
from automl.search.restore import mark_used
from automl.search.state import SearchState
from automl.trial.contract import TrialResult
from automl.workspace.control import discard
from automl.workspace.layout import ExperimentDirectory
from automl.workspace.lock import locked

__all__ = ["run_session"]

log = logging.getLogger("automl")

_SHORT = 60.0
"""A budget (seconds) up to which MLflow is booted beside the first trial, and not after it: it needs 6 to 10 s to be
ready to register."""


def run_session(
    config: ExperimentConfig,
    inputs: Inputs,
    directory: ExperimentDirectory,
    executor: Executor,
    *,
    deadline: Deadline,
    view: Progress,
) -> Result:
    """Search, deliver, register: everything inside the budget.

    Args:
        config: what was declared.
        inputs: what could not stand in a file.
        directory: the experiment's; what an earlier session left in it is gone on with.
        executor: where trials run; it is closed in the end.
        deadline: the experiment's clock, which is running.
        view: who is shown the progress.

    Raises:
        NoModelError: no trial completed.
        AutomlError: the data, the space or the compute cannot be used.
    """
    with locked(directory), logged_to(directory.log):
        directory.sweep()
        discard(directory)
        save_config(config, directory)
        return _Session(config, inputs, directory, deadline, view).run(executor)


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


class _Session:
    def __init__(
        self,
        config: ExperimentConfig,
        inputs: Inputs,
        directory: ExperimentDirectory,
        deadline: Deadline,
        view: Progress,
    ) -> None:
        self._config, self._inputs, self._directory = config, inputs, directory
        self._deadline, self._view = deadline, view
        self._phases = Phases(deadline)
        self._reserve = Reserve(deadline, registers=config.registry is not None)
        self._tracker = Tracker(config, directory)
        self._pruned = PruningTally()
        self._completed: list[TrialResult] = []

    def run(self, executor: Executor) -> Result:
        self._phases.add("start", self._deadline.spent() - self._deadline.used)
        try:
            cpu = time.thread_time()
            with self._phases.measure("prepare"):
                problem = prepare(self._config, self._inputs)
                save_problem(problem, self._directory)
                preference = Preference.of(self._config, problem)
                preference.write(self._directory)
                self._retention = Retention(self._directory, preference, self._config.retention.models)
                executor.start(
                    make_context(
                        problem,
                        trust=self._inputs.trust,
                        cache=self._directory.cache,
                        first_look=self._config.search.pruner.name != "none",
                    )
                )
            self._reserve.work_took(self._phases.spent("prepare"), cpu=time.thread_time() - cpu)
            self._phases.plan("search", self._deadline.remaining() - self._reserve.seconds())
            with self._view, self._phases.measure("search"):
                last = self._search(problem, executor)
            return self._deliver(problem, preference, last, executor)
        finally:
            executor.close()
            self._tracker.close(self._deadline.remaining())
            with suppress(WorkspaceError):  # a full disk: what ended the search says so better, and the clock is marked
                mark_used(self._directory, self._deadline.spent())
            # Matrices that trials have shared: a resumed session makes them again.
            shutil.rmtree(self._directory.cache, ignore_errors=True)

    # Searching

    def _search(self, problem: Problem, executor: Executor) -> SearchState:
        last = None
        with (
            Interrupts(self._directory) as interrupts,
            open_driver(
                problem,
                self._config,
                self._directory,
                executor,
                deadline=self._deadline,
                reserve=self._reserve.seconds,
                interrupts=interrupts.count,
            ) as driver,
        ):
            for last in driver.run():
                self._reserve.closing_takes(executor.closing_seconds)
                self._follow(last)
                self._config = extend_running(driver, self._config, self._directory, self._deadline)
        assert last is not None
        return last

    def _follow(self, state: SearchState) -> None:
        for finished in state.new:
            self._tracker.trial(finished.result.number)
            self._pruned.add(finished.result)
        best = None if state.best is None else state.best.result.number
        self._retention.observe((finished.result for finished in state.new), best)
        if self._chooses:
            self._completed += [finished.result for finished in state.new if finished.result.is_whole]
        if state.finished or self._deadline.budget <= _SHORT:
            self._tracker.start()
        if state.best is not None:
            self._reserve.model_found()
        estimate = self._tracker.registration_seconds()
        if estimate is not None:
            self._reserve.registration_takes(estimate)
        self._reserve.catching_up_takes(self._tracker.catch_up_seconds())
        self._view.update(state)

    @property
    def _chooses(self) -> bool:
        """Whether the winner may be another than the best score: else the driver alone remembers trials."""
        limits = self._config.limits
        return self._config.search.pick != "best" or limits.predict_time is not None or limits.model_size is not None

    # Delivering

    def _deliver(self, problem: Problem, preference: Preference, last: SearchState, executor: Executor) -> Result:
        if last.best is None:
            self._tracker.finish(self._seconds_for_the_end(), stopped_because=last.stopped_because or "")
            if not self._completed:
                raise _nothing_to_deliver(last, self._directory, self._failures())
            self._timed(self._summary(problem, last, None, {})).write(self._directory)  # its trials can be registered
            raise nothing_within_limits(self._completed, preference, self._directory)
        picked = pick_winner(last.best.result, self._completed, preference)
        best = picked.result
        for name, seconds in self._reserve.plan().items():
            self._phases.plan(name, seconds)
        if not has_models(self._directory, best.number):  # of an earlier session, and collected since
            with self._phases.measure("refit"):
                refit(problem, self._config, self._directory, best, trust=self._inputs.trust)
        with self._phases.measure("test"):
            tested = score_test(problem, self._config, self._directory.trial(best.number).models)
        summary = self._summary(problem, last, best, tested).model_copy(update={"picked_because": picked.why})
        # Registration happens in another process: the workers can be ended meanwhile.
        with ThreadPoolExecutor(1) as pool:
            registering = pool.submit(self._register, summary, best)
            with self._phases.measure("close"):
                executor.close()
            registered, note = registering.result()
        summary = summary.model_copy(update={"registered": registered, "not_registered": note})
        self._timed(summary).model_copy(update={"delivered": False}).write(self._directory)
        with self._phases.measure("mirror"):
            self._tracker.finish(
                self._seconds_for_the_end(), winner=best.number, stopped_because=summary.stopped_because
            )
            self._tracker.close()
        summary = self._timed(summary)
        summary.write(self._directory)
        return Result(self._directory, summary)

    def _timed(self, summary: Summary) -> Summary:
        """The summary with the time as it stands now."""
        budget = self._phases.budget()
        phases = tuple(asdict(phase) for phase in budget.phases)
        return summary.model_copy(update={"seconds": budget.spent, "phases": phases})

    def _register(self, summary: Summary, best: TrialResult) -> tuple[RegisteredModel | None, str]:
        """The new version; or None, and why there is none (nothing where none was wanted)."""
        before = registered_before(self._directory, best.number, self._config.registry)
        if self._config.registry is None:
            return before, ""
        with self._phases.measure("register"):
            left = self._deadline.remaining() - WAY_OUT
            try:
                candidate = candidate_for(self._config, self._directory, summary, best)
                registered = self._tracker.register(candidate, left)
                reason = "the time budget did not reach"
            except RegistryError as error:
                registered, reason = None, str(error).rstrip(".")
        if registered is not None:
            note_registered(self._directory, best.number, registered)
            return registered, ""
        if before is not None:
            return before, ""
        note = f"{reason}; the model is saved: 'automl models register {self._directory.path}' registers it"
        log.warning("not registered: %s", note)
        return None, note

    def _seconds_for_the_end(self) -> float:
        """What MLflow may have to catch up: all that is left, but for the way out."""
        return max(0.0, self._deadline.remaining() - WAY_OUT) if self._deadline.limited else math.inf

    def _summary(
        self, problem: Problem, last: SearchState, best: TrialResult | None, tested: dict[str, float]
    ) -> Summary:
        classes = problem.target.classes
        return Summary(
            experiment=self._directory.name,
            id=self._directory.id,
            task=problem.task.name,
            metric=problem.primary.name,
            maximize=problem.primary.maximize,
            best_trial=None if best is None else best.number,
            best_value=None if best is None else best.value,
            stopped_because=last.stopped_because or "",
            counts={status.value: count for status, count in last.counts.items()},
            pruning=self._pruned.pruning(),
            seconds=round(self._deadline.spent(), 3),
            time_budget=self._config.limits.time_budget,
            fingerprint=problem.table.fingerprint,
            split_plan=problem.plan.hash,
            validation=problem.plan.description,
            classes=None if classes is None else tuple(str(label) for label in classes),
            guardrails=tuple(
                {"name": g.name, "verdict": str(g.verdict), "message": g.message, "columns": list(g.columns)}
                for g in problem.guardrails
            ),
            exclusions=tuple({"algorithm": e.algorithm, "reason": e.reason} for e in problem.exclusions),
            test_metrics=tested,
        )

    def _failures(self) -> Sequence[TrialResult]:
        from automl.experiment.leaderboard import read_trials

        return [result for result in read_trials(self._directory) if result.failure is not None]


def _nothing_to_deliver(
    last: SearchState, directory: ExperimentDirectory, failed: Sequence[TrialResult]
) -> NoModelError:
    """Why there is no model: each cause once, most frequent first."""
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

"""One session of an experiment: from its data, or from where an earlier session was cut off, to its result."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial

from automl.config.schema import ExperimentConfig
from automl.config.tasks import problem_class
from automl.deadline import Deadline
from automl.display.progress import ProgressView
from automl.engine.execution.base import Executor
from automl.engine.samplers.registry import make_sampler
from automl.engine.search.inputs import Inputs
from automl.engine.search.problem import Problem
from automl.engine.study.state import SearchState
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.partial import read_note
from automl.engine.workspace.control import discard
from automl.engine.workspace.layout import ExperimentDirectory
from automl.engine.workspace.lock import locked
from automl.experiment.assembly import check_gpus, open_driver
from automl.experiment.clock import kept_clock
from automl.experiment.extension import extend_running
from automl.experiment.finish import Finish, SearchOutcome
from automl.experiment.interrupt import Interrupts
from automl.experiment.logfile import logged_to
from automl.experiment.models.retention import Retention
from automl.experiment.problem.environment import record_environment
from automl.experiment.problem.files import save_config
from automl.experiment.reserve import Reserve
from automl.experiment.result import Result
from automl.experiment.results.leaderboard import has_model
from automl.experiment.results.objectives import Objectives
from automl.experiment.results.phases import Phases
from automl.experiment.results.pruning import PruningTally
from automl.experiment.tracker import Tracker
from automl.experiment.watchdog import Watchdog, kill_workers
from automl.start import check_start

__all__ = ["run_session"]


def run_session(
    config: ExperimentConfig,
    inputs: Inputs,
    directory: ExperimentDirectory,
    executor: Executor,
    *,
    deadline: Deadline,
    watchdog: Watchdog,
    view: ProgressView,
) -> Result:
    """Search, deliver, register: everything inside the budget.

    Args:
        config: what was declared.
        inputs: what could not be written in a file.
        directory: the experiment's; what an earlier session left in it is continued.
        executor: where trials run; it is closed in the end.
        deadline: the experiment's clock, which is running.
        watchdog: ends this process when the time is over.
        view: is shown the progress.

    Raises:
        NoModelError: no trial completed.
        TimeBudgetError: the time ran out before the first could begin.
        AutomlError: the data, the space or the compute cannot be used.
    """
    with locked(directory), kept_clock(directory, deadline), logged_to(directory.log):
        directory.sweep()
        shutil.rmtree(directory.cache, ignore_errors=True)  # a killed session's, maybe of another version
        discard(directory)
        save_config(config, directory)
        return _Session(config, inputs, directory, deadline, watchdog, view).run(executor)


class _Session:
    def __init__(
        self,
        config: ExperimentConfig,
        inputs: Inputs,
        directory: ExperimentDirectory,
        deadline: Deadline,
        watchdog: Watchdog,
        view: ProgressView,
    ) -> None:
        self._config, self._inputs, self._directory = config, inputs, directory
        self._deadline, self._watchdog, self._view = deadline, watchdog, view
        self._phases = Phases(deadline)
        self._reserve = Reserve(deadline, registers=config.registry is not None)
        self._tracker = Tracker(config, directory)
        self._pruned = PruningTally()
        self._completed: list[TrialResult] = []
        self._preloaded: set[str] = set()
        self._in_time = not deadline.passed()
        """Else all that is left to do is to deliver, however long that takes."""

    def run(self, executor: Executor) -> Result:
        self._phases.add("start", self._deadline.spent() - self._deadline.used)
        try:
            cpu = time.thread_time()
            with self._phases.measure("prepare"):
                # What has a model already has something to deliver, however long it takes to read the data again.
                begins = not has_model(self._directory)
                kind, clock = problem_class(self._config.task), self._deadline if begins else None
                problem = kind.prepare(self._config, self._inputs, clock)
                check_gpus(self._config, problem.space)
                record_environment(self._directory, problem.space.algorithms.values())
                problem.save(self._directory)
                objectives = Objectives.of(self._config, problem.objectives)
                objectives.write(self._directory)
                self._retention = Retention(
                    self._directory,
                    objectives,
                    self._config.retention.models,
                    continues=make_sampler(self._config.search.sampler).continues,
                )
                judged = self._config.search.pruner.name != "none"
                executor.start(problem.context(self._directory.cache, judged=judged))
                if begins:
                    check_start(self._deadline)
            self._reserve.work_took(self._phases.spent("prepare"), cpu=time.thread_time() - cpu)
            self._phases.plan("search", self._deadline.remaining() - self._reserve.seconds())
            with self._view, self._phases.measure("search"):
                last = self._search(problem, objectives, executor)
            result = self._finish().deliver(self._found(problem, objectives, last), executor)
            self._watchdog.says(partial(self._watchdog.reports, result))
            return result
        finally:
            executor.close()
            self._tracker.close(self._deadline.remaining())
            # Matrices that trials have shared: a resumed session makes them again.
            shutil.rmtree(self._directory.cache, ignore_errors=True)

    def _finish(self) -> Finish:
        return Finish(
            config=self._config,
            directory=self._directory,
            deadline=self._deadline,
            phases=self._phases,
            reserve=self._reserve,
            tracker=self._tracker,
            on_result=self._deliver_on_timeout,
        )

    def _deliver_on_timeout(self, deliver: Callable[[], Result]) -> None:
        """Have the watchdog `deliver` when time is up, whatever this process is busy with."""
        if self._in_time:
            self._watchdog.says(lambda: self._watchdog.reports(deliver()))

    def _found(self, problem: Problem, objectives: Objectives, last: SearchState) -> SearchOutcome:
        return SearchOutcome(problem, objectives, last, self._completed, self._pruned.pruning())

    def _last_words(self, problem: Problem, objectives: Objectives, last: SearchState) -> None:
        """The best so far, said by the watchdog: this process has outlasted its budget, whatever it is busy with."""
        if last.best is None and last.partial is None:
            kill_workers()  # what they have completed is delivered, and must not change meanwhile
        result = self._finish().deliver_at_once(self._found(problem, objectives, last))
        self._view.close()
        self._watchdog.reports(result)

    # Searching

    def _search(self, problem: Problem, objectives: Objectives, executor: Executor) -> SearchState:
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
                self._follow(last, problem)
                if self._in_time:
                    self._watchdog.says(partial(self._last_words, problem, objectives, last))
                self._config = extend_running(driver, self._config, self._directory, self._deadline)
        assert last is not None
        return last

    def _follow(self, state: SearchState, problem: Problem) -> None:
        for finished in state.new:
            self._tracker.trial(finished.result.number)
            self._pruned.add(finished.result)
        best = state.best or state.partial
        winner = None if best is None else best.result.number
        self._retention.observe((finished.result for finished in state.new), winner)
        if self._chooses:
            self._completed += [finished.result for finished in state.new if finished.result.is_whole]
        if state.finished:
            self._tracker.start(self._deadline.remaining() - self._reserve.seconds())
        if best is not None:
            self._reserve.model_found(best.result.model_size)
            self._expect_test(problem, best.result)
        else:
            self._expect_partial(problem, state)
        self._reserve.catching_up_takes(self._tracker.catch_up_seconds())
        self._view.update(state)

    def _expect_partial(self, problem: Problem, state: SearchState) -> None:
        """Allow time to deliver what a running trial has completed, in case it gets no further."""
        for trial in state.running:
            noted = read_note(self._directory.trial(trial.number))
            if noted is not None:
                self._reserve.model_found(0)
                result = TrialResult(number=trial.number, algorithm=trial.algorithm, status=Status.CANCELLED)
                taken = {"partial": noted.partial, "predict_seconds": noted.predict_seconds}
                self._expect_test(problem, result.model_copy(update=taken))
                return

    def _expect_test(self, problem: Problem, best: TrialResult) -> None:
        """Keep time for scoring the best model on the test rows, if there are any, and have it importable by then."""
        seconds = problem.seconds_to_test(best)
        if seconds is None:
            return
        self._reserve.testing_takes(seconds)
        if best.algorithm not in self._preloaded:
            self._preloaded.add(best.algorithm)
            problem.preload(self._directory.trial(best.number).models)

    @property
    def _chooses(self) -> bool:
        """True if the winner may be another than the best score: else the driver alone remembers trials."""
        limits = self._config.limits
        return self._config.search.pick != "best" or limits.predict_time is not None or limits.model_size is not None

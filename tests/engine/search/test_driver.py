"""The loop, on real executors: what is counted, retried, stopped, restored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from optuna.trial import TrialState

from automl.deadline import Deadline
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.admission.time import Admission
from automl.engine.execution.base import Event, Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.registry import make_executor
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.portfolio import Portfolio
from automl.engine.proposers.sampled import SamplerProposer
from automl.engine.pruners.registry import make_pruner
from automl.engine.samplers.registry import make_sampler
from automl.engine.search.driver import Driver
from automl.engine.search.options import LimitsOptions
from automl.engine.search.submission import Terms
from automl.engine.space.space import SearchSpace
from automl.engine.stopping.registry import criteria_of
from automl.engine.study.history import History
from automl.engine.study.proposal import ProposerChain
from automl.engine.study.state import WOULD_NOT_FIT, SearchState
from automl.engine.trial.contract import Status, TrialContext, TrialLimits, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.partial import keep
from automl.engine.trial.records import read_result, write_result
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.experiment.results.leaderboard import has_model
from automl.testing.behaviours import METRIC, Behaviours

SCALE = {"params": {"scale": {"type": "float", "low": 0.0, "high": 1.0}}}


class Search:
    """A search over behaviours, in a directory of its own; run it as often as you like."""

    def __init__(self, place: Path, **algorithms: dict[str, Any]) -> None:
        self.directory = Workspace(place).create_experiment("test")
        self.space = SearchSpace.model_validate({"algorithms": algorithms})
        self.portfolio: list[str] = []
        self.limits = TrialLimits()
        self.interrupts: Callable[[], int] = lambda: 0

    @contextmanager
    def driver(
        self, executor: str, seconds: float | None = None, workers: int = 1, **limits: Any
    ) -> Iterator[tuple[Driver, Executor]]:
        deadline = Deadline.after(seconds)
        entries = tuple({"algorithm": name} for name in self.portfolio)
        space = SearchSpace.model_validate({**self.space.model_dump(), "portfolio": entries})
        sampler = make_sampler(ComponentOptions(name="random"))
        history = History(
            self.directory.journal, objective=Objective("score"), pruner=make_pruner(ComponentOptions(name="none"))
        )
        runner = make_executor(ComputeOptions(executor=executor, max_workers=workers), deadline)
        declared = LimitsOptions(time_budget=seconds, **limits)
        try:
            runner.start(TrialContext(Behaviours()))
            yield (
                Driver(
                    Terms(self.directory, Objective(METRIC), limits=self.limits),
                    proposer=ProposerChain(
                        [
                            Portfolio(space),
                            SamplerProposer(space, sampler, objective=Objective("score"), seed=0, measured=False),
                        ]
                    ),
                    history=history,
                    executor=runner,
                    criteria=criteria_of(declared),
                    admission=Admission(space.algorithms),
                    memory=MemoryAdmission(space.algorithms, self.limits.memory),
                    deadline=deadline,
                    interrupts=self.interrupts,
                ),
                runner,
            )
        finally:
            runner.close()
            history.close()

    def run(self, executor: str = "inline", **limits: Any) -> SearchState:
        """The last state of a search that runs to its end."""
        with self.driver(executor, **limits) as (driver, _):
            *_, last = driver.run()
        return last


def results(directory: ExperimentDirectory) -> list[Any]:
    return [read_result(directory.trial(number)) for number in directory.trial_numbers()]


def test_a_search_runs_as_many_trials_as_it_may_and_says_so(tmp_path: Path) -> None:
    search = Search(tmp_path, compute=SCALE)
    last = search.run(max_trials=7)
    assert last.stopped_because == "max_trials: 7 trials were run"
    assert last.counts == {Status.COMPLETED: 7}
    assert last.best is not None
    assert last.best.result.value == max(result.value for result in results(search.directory))


def test_several_workers_never_start_a_trial_too_many(tmp_path: Path) -> None:
    assert Search(tmp_path, compute=SCALE).run("process", workers=2, max_trials=5).proposed == 5


def test_a_single_worker_is_never_given_a_trial_ahead(tmp_path: Path) -> None:
    """However short trials are: what is known when the next one is proposed does not depend on timing."""
    search = Search(tmp_path, nothing=SCALE)
    with search.driver("process", workers=1, max_trials=40) as (driver, _):
        assert max(len(state.running) for state in driver.run()) <= 1


def test_trials_that_are_handed_out_by_several_are_all_run_once(tmp_path: Path) -> None:
    search = Search(tmp_path, nothing=SCALE)
    last = search.run("process", workers=2, max_trials=100)
    assert (last.proposed, last.counts) == (100, {Status.COMPLETED: 100})
    assert {result.attempt for result in results(search.directory)} == {1}


def test_every_state_tells_each_result_once(tmp_path: Path) -> None:
    search = Search(tmp_path, compute=SCALE)
    with search.driver("process", workers=2, max_trials=6) as (driver, _):
        told = [finished.result.number for state in driver.run() for finished in state.new]
    assert sorted(told) == list(range(6))


def test_params_json_holds_what_the_trial_was_given(tmp_path: Path) -> None:
    search = Search(tmp_path, compute=SCALE)
    last = search.run(max_trials=2)
    assert last.best is not None
    written = json.loads(search.directory.trial(last.best.result.number).params.read_text())
    assert written["params"] == last.best.params
    assert written["attempt"] == 1


def test_a_finite_space_is_exhausted(tmp_path: Path) -> None:
    choices = {"params": {"scale": {"type": "categorical", "choices": [0.1, 0.2, 0.3]}}}
    last = Search(tmp_path, compute=choices).run(max_trials=50)
    assert last.stopped_because == "space exhausted: all 3 configurations of the search space were tried"
    assert last.proposed == 3


def test_a_lost_worker_gives_the_trial_a_second_attempt_and_no_third(tmp_path: Path) -> None:
    search = Search(tmp_path, exit_process=SCALE)
    last = search.run("process", max_trials=1)
    (result,) = results(search.directory)
    assert (result.status, result.attempt) == (Status.INTERRUPTED, 2)
    assert last.counts == {Status.INTERRUPTED: 1}


@pytest.mark.parametrize(("started_at", "attempts"), [("", 3), ("2026-01-01T00:00:00.000+00:00", 2)])
def test_a_trial_that_may_not_have_begun_is_not_blamed_for_its_first_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started_at: str, attempts: int
) -> None:
    """An executor that loses all workers, the first perhaps to another trial of the same batch."""
    search = Search(tmp_path, nothing={})
    with search.driver("inline", max_trials=1) as (driver, executor):
        wait = executor.wait

        def lose(timeout: float) -> list[Event]:
            results = [event for event in wait(timeout) if isinstance(event, TrialResult)]
            lost = {"status": Status.INTERRUPTED, "value": None}
            firsts = {"started_at": started_at}
            return [event.model_copy(update={**lost, **(firsts if event.attempt == 1 else {})}) for event in results]

        monkeypatch.setattr(executor, "wait", lose)
        *_, last = driver.run()
    (result,) = results(search.directory)
    assert (result.status, result.attempt) == (Status.INTERRUPTED, attempts)
    assert last.counts == {Status.INTERRUPTED: 1}


def has_reported(state: SearchState) -> bool:
    return any(trial.value is not None for trial in state.running)


def stopped_after_a_fold(search: Search) -> SearchState:
    """The last state of a search that is stopped at once, by its user, when its trial has completed a fold."""
    reported: list[bool] = []
    search.interrupts = lambda: 2 if reported else 0
    with search.driver("process") as (driver, _):
        for state in driver.run():
            reported += [True] if has_reported(state) else []
    return state


def test_a_trial_that_is_killed_leaves_the_folds_that_it_had_completed(tmp_path: Path) -> None:
    search = Search(tmp_path, complete_a_fold=SCALE)
    last = stopped_after_a_fold(search)
    (result,) = results(search.directory)
    assert (result.status, result.value) == (Status.CANCELLED, 0.5)
    assert result.extent == "validated on 1 of 4 folds"
    assert last.best is None
    assert last.partial is not None
    assert last.partial.result == result
    assert last.new == (last.partial,) or last.counts == {Status.CANCELLED: 1}


def test_the_end_of_the_budget_leaves_the_folds_that_were_completed(tmp_path: Path) -> None:
    search = Search(tmp_path, complete_a_fold=SCALE)
    with search.driver("process", seconds=600) as (driver, _):
        for last in driver.run():
            if has_reported(last):
                driver._deadline.extend(driver._deadline.spent())  # it is over now, whatever the machine's speed
    assert last.stopped_because is not None
    assert last.stopped_because.startswith("time_budget")
    assert last.partial is not None
    assert last.partial.result.extent == "validated on 1 of 4 folds"


def test_a_whole_trial_is_worth_more_than_any_part_of_one(tmp_path: Path) -> None:
    search = Search(tmp_path, complete_a_fold={}, nothing={})
    search.portfolio = ["complete_a_fold"]
    stopped_after_a_fold(search)
    search.portfolio, search.interrupts = ["nothing"], lambda: 0
    last = search.run("process", max_trials=2)
    assert last.partial is None
    assert last.best is not None
    assert last.best.result.algorithm == "nothing"


def test_a_fold_that_a_killed_session_has_left_is_a_model_though_no_time_is_left(tmp_path: Path) -> None:
    search = Search(tmp_path, complete_a_fold=SCALE)
    with search.driver("process") as (driver, _):
        next(state for state in driver.run() if has_reported(state))
    assert results(search.directory) == [None]
    assert has_model(search.directory)
    search.interrupts = lambda: 2
    last = search.run("process")
    (result,) = results(search.directory)
    assert (result.status, result.attempt, result.extent) == (Status.CANCELLED, 1, "validated on 1 of 4 folds")
    assert last.partial is not None
    assert [finished.result for finished in last.new] == [result]


def test_notes_that_a_kill_has_left_beside_the_result_are_deleted(tmp_path: Path) -> None:
    search = Search(tmp_path, complete_a_fold=SCALE)
    with search.driver("process") as (driver, _):
        next(state for state in driver.run() if has_reported(state))
    place = search.directory.trial(0)
    ended = TrialResult(number=0, algorithm="complete_a_fold", status=Status.CANCELLED)
    write_result(place, keep(place, ended))
    assert place.completed.exists()
    last = search.run("process", max_trials=1)
    assert last.partial is not None
    assert not list(place.path.glob("completed*"))


def test_a_fold_is_not_told_to_who_proposes(tmp_path: Path) -> None:
    search = Search(tmp_path, complete_a_fold=SCALE)
    stopped_after_a_fold(search)
    with search.driver("inline") as (driver, _):
        (record,) = driver._history.records()
    assert (record.state, record.value) == (TrialState.FAIL, None)


def test_a_trials_own_timeout_leaves_no_model(tmp_path: Path) -> None:
    search = Search(tmp_path, complete_a_fold=SCALE)
    search.limits = TrialLimits(seconds=1.0)
    last = search.run("process", max_trials=1)
    assert last.counts == {Status.TIMED_OUT: 1}
    assert last.partial is None


def test_a_failing_algorithm_stops_the_search_with_its_cause(tmp_path: Path) -> None:
    search = Search(tmp_path, fail=SCALE)
    last = search.run(max_failures_in_a_row=3)
    assert last.stopped_because is not None
    assert last.stopped_because.startswith("max_failures_in_a_row: 3 trials failed")
    assert last.best is None


def test_a_trial_over_its_own_timeout_is_timed_out(tmp_path: Path) -> None:
    search = Search(tmp_path, deaf=SCALE)
    search.limits = TrialLimits(seconds=0.5)
    last = search.run("process", max_trials=1)
    assert last.counts == {Status.TIMED_OUT: 1}


def test_a_trial_that_the_budget_ends_is_cancelled_and_no_failure(tmp_path: Path) -> None:
    search = Search(tmp_path, deaf=SCALE)
    with search.driver("process", seconds=600) as (driver, _):
        for last in driver.run():
            if has_reported(last):
                driver._deadline.extend(driver._deadline.spent())  # it is over now, whatever the machine's speed
    assert last.counts == {Status.CANCELLED: 1}
    assert last.failures == 0
    assert last.stopped_because is not None
    assert last.stopped_because.startswith("time_budget")


def test_the_second_interrupt_stops_what_runs(tmp_path: Path) -> None:
    search = Search(tmp_path, deaf=SCALE)
    with search.driver("process") as (driver, _):
        asked = [0]
        driver._interrupts = lambda: asked[0]
        for state in driver.run():
            if state.running:
                asked[0] = 2
    assert state.stopped_because == "cancelled by the user"
    assert state.counts == {Status.CANCELLED: 1}


def test_a_cut_search_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = Search(tmp_path / "whole", compute=SCALE)
    whole.run(max_trials=8)

    cut = Search(tmp_path / "cut", compute=SCALE)
    with cut.driver("inline", max_trials=8) as (driver, _):
        for state in driver.run():
            if state.finished == 3:
                break
    last = cut.run(max_trials=8)

    assert last.counts == {Status.COMPLETED: 8}
    values = [[result.value for result in results(search.directory)] for search in (whole, cut)]
    assert values[0] == values[1]


def test_what_was_in_flight_is_run_again_as_its_next_attempt(tmp_path: Path) -> None:
    search = Search(tmp_path, compute=SCALE)
    with search.driver("inline", max_trials=3) as (driver, _):
        for state in driver.run():
            if state.finished == 1 and state.running:
                break
    cut = state.running[0].number
    search.run(max_trials=3)
    attempts = {result.number: result.attempt for result in results(search.directory)}
    assert attempts[cut] == 2
    assert sorted(attempts) == [0, 1, 2]


def test_a_result_that_was_written_but_not_told_is_told_and_not_repeated(tmp_path: Path) -> None:
    search = Search(tmp_path, compute=SCALE)
    search.run(max_trials=2)
    journal = search.directory.journal
    lines = journal.read_bytes().splitlines(keepends=True)
    told = [line for line in lines if json.loads(line)["op_code"] == 6]
    journal.write_bytes(b"".join(line for line in lines if line != told[-1]))
    before = [result.elapsed for result in results(search.directory)]
    last = search.run(max_trials=2)
    assert last.counts == {Status.COMPLETED: 2}
    assert [result.elapsed for result in results(search.directory)] == before


def test_an_invalid_trial_json_counts_as_none(tmp_path: Path) -> None:
    search = Search(tmp_path, compute=SCALE)
    search.run(max_trials=1)
    place = search.directory.trial(0)
    place.result.write_text(place.result.read_text()[:40])
    lines = search.directory.journal.read_bytes().splitlines(keepends=True)
    search.directory.journal.write_bytes(b"".join(line for line in lines if json.loads(line)["op_code"] != 6))
    assert search.run(max_trials=1).counts == {Status.COMPLETED: 1}
    assert results(search.directory)[0].attempt == 2


MEGABYTES = {"params": {"megabytes": {"type": "int", "low": 1, "high": 10_000, "log": True}}}


def remember(search: Search, held: Callable[[int], int], trials: int = 30) -> None:
    """As if an earlier session had measured how much memory each trial held."""
    search.run(max_trials=trials)
    for number in search.directory.trial_numbers():
        place = search.directory.trial(number)
        result = json.loads(place.result.read_text())
        params = json.loads(place.params.read_text())["params"]
        place.result.write_text(json.dumps({**result, "peak_memory": held(params["megabytes"])}))


def test_a_trial_that_can_never_fit_is_refused_with_a_typed_reason(tmp_path: Path) -> None:
    search = Search(tmp_path, nothing=MEGABYTES)
    search.limits = TrialLimits(memory=2**40)
    remember(search, lambda megabytes: megabytes * 2**20)
    search.limits = TrialLimits(memory=100 * 2**20)
    last = search.run(max_trials=70)
    ended = results(search.directory)
    assert last.proposed == len(ended) == 70
    refused = [result for result in ended if result.failure is not None]
    assert refused
    assert (
        min(json.loads(search.directory.trial(r.number).params.read_text())["params"]["megabytes"] for r in refused)
        > 100
    )
    assert {result.failure.kind for result in refused} == {WOULD_NOT_FIT}
    assert {result.status for result in refused} == {Status.OUT_OF_MEMORY}
    assert "limits.trial_memory is 100 MB" in refused[0].failure.message
    assert all(result.worker == "" for result in refused), "never started"
    told = search.run(max_trials=70)
    assert told.counts == last.counts, "the journal and the records agree"


def test_a_search_of_which_nothing_fits_ends(tmp_path: Path) -> None:
    search = Search(tmp_path, nothing=MEGABYTES)
    remember(search, lambda megabytes: 2**40)
    search.limits = TrialLimits(memory=2**20)
    last = search.run(max_failures_in_a_row=3)
    assert last.stopped_because is not None
    assert last.stopped_because.startswith("max_failures_in_a_row: 30 trials failed one after another (the last: Would")


def test_what_has_no_room_beside_what_runs_waits_and_nothing_is_lost(tmp_path: Path) -> None:
    search = Search(tmp_path, nothing=MEGABYTES)
    most = psutil.virtual_memory().total
    remember(search, lambda megabytes: int(most * 0.9))
    with search.driver("process", workers=2, max_trials=40) as (driver, _):
        for state in driver.run():
            assert len(state.running) <= 1, "two of them would not fit"
    assert state.counts == {Status.COMPLETED: 40}
    assert [result.number for result in results(search.directory)] == list(range(40))


def test_small_trials_go_on_while_a_large_one_waits(tmp_path: Path) -> None:
    search = Search(tmp_path, nothing=MEGABYTES)
    most = psutil.virtual_memory().total
    remember(search, lambda megabytes: int(most * 0.9 * megabytes / 10_000))
    ended: set[int] = set()
    passed: set[int] = set()
    with search.driver("process", workers=2, max_trials=60) as (driver, _):
        for state in driver.run():
            ended |= {finished.result.number for finished in state.new}
            running = {trial.number for trial in state.running}
            waiting = set(range(state.proposed)) - ended - running
            passed |= {number for number in running if waiting and number > min(waiting)}
    assert state.counts == {Status.COMPLETED: 60}
    assert passed, "nobody went ahead of a trial that waited"


@pytest.mark.parametrize("leftover", ["trial.json", "notes.txt"])
def test_a_number_given_again_starts_in_a_clean_directory(tmp_path: Path, leftover: str) -> None:
    search = Search(tmp_path, compute=SCALE)
    place = search.directory.trial(0).path
    place.mkdir()
    (place / leftover).write_text("left behind by an ask that was never committed")
    search.run(max_trials=1)
    assert results(search.directory)[0].status is Status.COMPLETED
    assert leftover == "trial.json" or not (place / leftover).exists()

"""Every exit criterion: when it holds, when it does not, and what it says."""

from __future__ import annotations

import math

import pytest

from automl.engine.search.options import LimitsOptions
from automl.engine.stopping.base import ExitCriterion
from automl.engine.stopping.exhausted import SpaceExhausted
from automl.engine.stopping.interrupt import Interrupt
from automl.engine.stopping.max_failures import MaxFailures
from automl.engine.stopping.max_trials import MaxTrials
from automl.engine.stopping.patience import Patience
from automl.engine.stopping.registry import criteria_of, exit_criteria
from automl.engine.stopping.target_score import TargetScore
from automl.engine.stopping.time_budget import TimeBudget
from automl.engine.study.state import Finished, SearchState
from automl.engine.trial.contract import Failure, Status, TrialResult
from automl.engine.trial.objective import Objective


def ended(number: int, value: float | None = None, status: Status = Status.COMPLETED) -> Finished:
    failure = Failure(kind="ValueError", message="no such thing") if status.is_failure else None
    return Finished(TrialResult(number=number, algorithm="a", status=status, value=value, failure=failure), {})


def state(*new: Finished, maximize: bool = True, **fields: object) -> SearchState:
    return SearchState(Objective("accuracy", maximize), new=new, **fields)  # type: ignore[arg-type]


def feed(criterion: ExitCriterion, values: list[float], maximize: bool = True) -> int | None:
    """How many results it took until the criterion held."""
    for number, value in enumerate(values, start=1):
        now = state(ended(number, value), maximize=maximize, counts={Status.COMPLETED: number})
        if criterion.check(now) is not None:
            return number
    return None


def test_max_trials_counts_numbers_that_were_given_out() -> None:
    assert MaxTrials(3).check(state(proposed=2)) is None
    assert MaxTrials(3).check(state(proposed=3)) == "max_trials: 3 trials were run"


def test_time_budget_holds_when_nothing_is_left_or_nothing_fits() -> None:
    assert TimeBudget(60).check(state(remaining=0.1)) is None
    assert "spent" in str(TimeBudget(60).check(state(remaining=0.0)))
    assert "no further trial" in str(TimeBudget(60).check(state(remaining=5.0, out_of_time=True)))


@pytest.mark.parametrize(("maximize", "short", "reached"), [(True, 0.89, 0.9), (False, 0.91, 0.9)])
def test_target_score_holds_at_the_target_in_either_direction(maximize: bool, short: float, reached: float) -> None:
    assert TargetScore(0.9).check(state(maximize=maximize, best=ended(0, short))) is None
    assert "target_score" in str(TargetScore(0.9).check(state(maximize=maximize, best=ended(0, reached))))


def test_target_score_waits_for_a_first_result() -> None:
    assert TargetScore(0.9).check(state(best=None)) is None


def test_patience_counts_trials_since_the_last_improvement() -> None:
    assert feed(Patience(3, min_trials=1), [0.1, 0.2, 0.2, 0.1, 0.15, 0.9]) == 5


def test_patience_begins_anew_at_an_improvement() -> None:
    assert feed(Patience(3, min_trials=1), [0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2]) == 7


def test_patience_takes_a_gain_below_min_delta_for_none() -> None:
    assert feed(Patience(2, min_delta=0.05, min_trials=1), [0.5, 0.52, 0.54]) == 3
    assert feed(Patience(2, min_delta=0.05, min_trials=1), [0.5, 0.52, 0.56]) is None


def test_patience_works_for_losses() -> None:
    assert feed(Patience(2, min_trials=1), [1.0, 0.5, 0.6, 0.7], maximize=False) == 4


def test_patience_waits_for_min_trials() -> None:
    assert feed(Patience(1, min_trials=4), [0.5, 0.4, 0.3, 0.2, 0.1]) == 4


def test_patience_counts_whole_trials_only() -> None:
    criterion = Patience(1, min_trials=1)
    part = TrialResult(number=1, algorithm="a", status=Status.COMPLETED, value=0.9, fidelity=0.5)

    def check(finished: Finished) -> str | None:
        return criterion.check(state(finished, counts={Status.COMPLETED: 4}))

    assert check(ended(0, 0.5)) is None
    assert check(Finished(part, {}, eligible=False)) is None  # neither better nor one trial more
    assert check(ended(2, 0.6)) is None
    assert check(ended(3, 0.6)) is not None


def test_patience_never_ends_a_search_without_any_score() -> None:
    criterion = Patience(1, min_trials=1)
    pruned = state(ended(0, None, Status.PRUNED), counts={Status.PRUNED: 1})
    assert criterion.check(pruned) is None


def test_failures_in_a_row_are_counted_until_a_success() -> None:
    criterion = MaxFailures(total=None, in_a_row=2)
    failed = ended(0, None, Status.FAILED)
    assert criterion.check(state(failed)) is None
    assert criterion.check(state(ended(1, 0.5))) is None
    assert criterion.check(state(failed)) is None
    assert criterion.check(state(failed)) == (
        "max_failures_in_a_row: 2 trials failed one after another (the last: ValueError: no such thing)"
    )


def test_failures_in_all_are_counted_over_every_kind_of_failure() -> None:
    criterion = MaxFailures(total=3, in_a_row=None)
    counts = {Status.FAILED: 1, Status.TIMED_OUT: 1, Status.PRUNED: 5, Status.CANCELLED: 5, Status.COMPLETED: 9}
    assert criterion.check(state(counts=counts)) is None
    assert "max_failures: 3 trials failed" in str(criterion.check(state(counts={**counts, Status.OUT_OF_MEMORY: 1})))


def test_exhausted_space_and_interrupts_hold_when_the_state_says_so() -> None:
    assert SpaceExhausted().check(state()) is None
    assert "all 4 configurations" in str(SpaceExhausted().check(state(exhausted=True, proposed=4)))
    assert Interrupt().check(state()) is None
    assert Interrupt().check(state(interrupts=1)) == "cancelled by the user"


def test_limits_declare_the_criteria_that_are_checked() -> None:
    kinds = {type(criterion) for criterion in criteria_of(LimitsOptions(time_budget="2m", patience=7))}
    assert kinds == {TimeBudget, Patience, MaxFailures, SpaceExhausted, Interrupt}


def test_every_criterion_module_is_found_by_itself() -> None:
    found = {criterion.__name__ for criterion in exit_criteria()}
    assert found >= {"MaxTrials", "TimeBudget", "TargetScore", "Patience", "MaxFailures", "SpaceExhausted", "Interrupt"}


def test_nothing_holds_in_a_state_without_limits() -> None:
    quiet = state(proposed=10_000, remaining=math.inf, counts={Status.COMPLETED: 10_000}, best=ended(0, 1.0))
    assert [criterion.check(quiet) for criterion in criteria_of(LimitsOptions())] == [None] * 3

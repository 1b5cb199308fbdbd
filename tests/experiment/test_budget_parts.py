"""The parts of the budget: what is kept in reserve, what is planned and spent, and what is promised."""

from __future__ import annotations

import time

import pytest

from automl.deadline import Deadline, tolerance
from automl.experiment.reserve import REGISTERING, WAY_OUT, Reserve
from automl.experiment.results.phases import Budget, Phases


@pytest.mark.parametrize(("budget", "seconds"), [(10, 0.5), (25, 0.5), (60, 1.2), (600, 12)])
def test_one_tolerance_everywhere(budget: float, seconds: float) -> None:
    assert tolerance(budget) == pytest.approx(seconds)


def test_a_deadline_counts_what_earlier_sessions_used() -> None:
    deadline = Deadline.after(100, used=60)
    assert 60 <= deadline.spent() < 61
    assert 39 < deadline.remaining() <= 40
    assert not deadline.passed()
    assert Deadline.after(10, used=10).passed()
    assert Deadline.after(10, used=12).remaining() == 0


def test_a_deadline_may_have_begun_before_it_was_made() -> None:
    assert Deadline.after(10, started=time.monotonic() - 4).spent() == pytest.approx(4, abs=0.5)


def test_without_a_budget_time_never_runs_out() -> None:
    never = Deadline.after(None)
    assert not never.limited
    assert not never.passed()
    assert never.remaining() == float("inf")


def test_nothing_is_reserved_for_registration_before_there_is_a_model() -> None:
    reserve = Reserve(Deadline.after(60), registers=True)
    assert reserve.seconds() == WAY_OUT
    reserve.model_found(10**6)
    assert WAY_OUT + REGISTERING <= reserve.seconds() <= WAY_OUT + 2 * REGISTERING


def test_a_large_model_takes_longer_to_register() -> None:
    reserve = Reserve(Deadline.after(60), registers=True)
    reserve.model_found(10**9)
    assert reserve.seconds() > WAY_OUT + 1.0


def test_a_lagging_mirror_is_waited_for_within_a_tenth_of_the_budget() -> None:
    reserve = Reserve(Deadline.after(60), registers=False)
    reserve.catching_up_takes(2.0)
    assert reserve.seconds() == WAY_OUT + 2.0
    reserve.catching_up_takes(600.0)
    assert reserve.seconds() == WAY_OUT + 6.0


def test_no_registry_no_reserve_for_it() -> None:
    reserve = Reserve(Deadline.after(60), registers=False)
    reserve.model_found(10**6)
    assert reserve.seconds() == WAY_OUT


def test_a_busy_machine_needs_longer_for_the_way_out() -> None:
    reserve = Reserve(Deadline.after(60), registers=False)
    reserve.work_took(4.0, cpu=2.0)
    assert reserve.seconds() == 2 * WAY_OUT
    reserve.work_took(100.0, cpu=1.0)
    assert reserve.seconds() == 3 * WAY_OUT
    reserve.work_took(1.0, cpu=2.0)
    assert reserve.seconds() == WAY_OUT


def test_work_too_short_tells_nothing_about_the_machine() -> None:
    reserve = Reserve(Deadline.after(60), registers=False)
    reserve.work_took(0.01, cpu=0.001)
    assert reserve.seconds() == WAY_OUT


def test_what_is_kept_for_each_phase_is_planned() -> None:
    reserve = Reserve(Deadline.after(60), registers=True)
    reserve.closing_takes(2.5)
    reserve.model_found(0)
    reserve.catching_up_takes(1.0)
    assert reserve.plan() == {"test": WAY_OUT, "close": 2.5, "register": REGISTERING, "mirror": 1.0}
    assert reserve.seconds() == pytest.approx(sum(reserve.plan().values()))


def test_test_rows_are_kept_time_for() -> None:
    reserve = Reserve(Deadline.after(60), registers=True)
    reserve.testing_takes(4.0)
    assert reserve.seconds() == WAY_OUT + 4.0
    assert reserve.plan()["test"] == WAY_OUT + 4.0


def test_phases_tell_planned_against_spent() -> None:
    phases = Phases(Deadline.after(60))
    phases.plan("search", 50)
    phases.plan("search", 10)
    with phases.measure("search"):
        pass
    phases.add("search", 2.0)
    (phase,) = phases.budget().phases
    assert (phase.name, phase.planned) == ("search", 50)
    assert phase.spent >= 2.0


def test_a_budget_is_kept_within_the_tolerance_only() -> None:
    assert Budget(60, 61.2, ()).kept
    assert not Budget(60, 61.3, ()).kept
    assert Budget(None, 1e9, ()).kept
    assert str(Budget(60, 12.34, ())).startswith("12.3 s of 60 s")

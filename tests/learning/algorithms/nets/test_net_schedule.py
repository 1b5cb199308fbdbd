from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from automl.learning.algorithms.nets.schedule import Course, one_cycle

shares = st.floats(0, 1)
warm_ups = st.floats(0, 0.9)


@st.composite
def courses(draw: st.DrawFn, *, timed: bool | None = None) -> Course:
    start = draw(st.floats(0, 0.9))
    end = draw(st.floats(start + 0.05, 1.0))
    is_timed = draw(st.booleans()) if timed is None else timed
    seconds = draw(st.floats(0, 1e4)) if is_timed else math.inf
    return Course(draw(st.integers(1, 100_000)), seconds, start, end)


@given(shares, warm_ups)
def test_the_learning_rate_is_a_share_of_its_peak(progress: float, warm_up: float) -> None:
    assert 0 <= one_cycle(progress, warm_up=warm_up) <= 1


@given(warm_ups)
def test_it_peaks_after_the_warm_up_and_ends_at_zero(warm_up: float) -> None:
    assert one_cycle(warm_up, warm_up=warm_up) == 1
    assert one_cycle(1.0, warm_up=warm_up) == 0


@given(shares, shares, warm_ups)
def test_it_rises_before_the_peak_and_falls_behind_it(a: float, b: float, warm_up: float) -> None:
    early, late = sorted((a, b))
    before, after = one_cycle(early, warm_up=warm_up), one_cycle(late, warm_up=warm_up)
    if late < warm_up:
        assert before <= after + 1e-12
    if early >= warm_up:
        assert before >= after - 1e-12


@given(courses(), st.integers(0, 100_000), st.floats(0, 1e4))
def test_progress_stays_between_start_and_end(course: Course, step: int, used: float) -> None:
    assert course.start <= course.progress(step, used) <= course.end


@given(courses(), st.integers(0, 1000), st.integers(0, 1000), st.floats(0, 1e4), st.floats(0, 1e4))
def test_progress_never_goes_back(course: Course, step: int, more: int, used: float, later: float) -> None:
    assert course.progress(step, used) <= course.progress(step + more, used + later)


@given(courses(timed=True))
def test_the_clock_alone_brings_it_to_its_end(course: Course) -> None:
    assert course.progress(course.first_step, course.seconds) == course.end
    assert not course.goes_on(course.first_step, course.seconds, 1e-3)


@given(courses(timed=False))
def test_without_a_limit_the_steps_alone_decide(course: Course) -> None:
    assert course.goes_on(course.last_step - 1, 1e9, 1e9)
    assert not course.goes_on(course.last_step, 0, 0)
    assert course.first_step < course.last_step
    assert not course.is_led_by_clock(course.first_step, 1e9)


@given(st.integers(1, 10_000), st.data())
def test_what_goes_on_goes_on_at_the_next_step(steps: int, data: st.DataObject) -> None:
    done = data.draw(st.integers(0, steps - 1))
    assert Course(steps, start=Course(steps).progress(done, 0)).first_step == done


def test_a_step_that_would_not_end_in_time_is_not_begun() -> None:
    course = Course(steps=100, seconds=10)
    assert course.goes_on(5, used=9.0, pace=0.9)
    assert not course.goes_on(5, used=9.0, pace=1.1)

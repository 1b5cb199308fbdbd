"""How many threads a training takes."""

from collections.abc import Callable

import pytest

from automl.learning.algorithms.nets.thread_tuner import ThreadTuner

Pace = Callable[[int], float]


def quiet(threads: int) -> float:
    """Seconds of a step where every thread has a core."""
    return 0.02 + 0.08 / threads


def crowded(threads: int) -> float:
    """The same where only one has."""
    return 0.1 * threads


def steps(crew: ThreadTuner, pace: Pace, n: int) -> list[int]:
    sizes = []
    for _ in range(n):
        sizes.append(crew.size)
        crew.after_step(pace(crew.size))
    return sizes


@pytest.mark.parametrize("most", [2, 3, 8])
def test_on_a_quiet_machine_all_threads_work_nearly_always(most: int) -> None:
    sizes = steps(ThreadTuner(most), quiet, 1_000)
    assert sizes.count(most) > 0.97 * len(sizes)


@pytest.mark.parametrize("most", [2, 8])
def test_where_others_work_one_thread_is_enough(most: int) -> None:
    crew = ThreadTuner(most)
    steps(crew, crowded, 1_000)
    assert crew.size == 1


def test_a_machine_that_becomes_crowded_is_noticed_within_some_steps() -> None:
    crew = ThreadTuner(2)
    steps(crew, quiet, 100)
    assert crew.size == 2
    steps(crew, crowded, 60)
    assert crew.size == 1


def test_a_machine_that_becomes_quiet_is_noticed_later() -> None:
    crew = ThreadTuner(2)
    steps(crew, crowded, 100)
    steps(crew, quiet, 350)
    assert crew.size == 2


def test_a_single_slow_step_changes_nothing() -> None:
    crew = ThreadTuner(2)
    steps(crew, quiet, 100)
    crew.after_step(5.0)
    assert steps(crew, quiet, 50) == [2] * 50


def test_one_thread_stays_one() -> None:
    assert set(steps(ThreadTuner(1), crowded, 500)) == {1}

from __future__ import annotations

import math

import pytest

from automl.engine.trial.objective import Objective

UP, DOWN = Objective("accuracy"), Objective("log_loss", maximize=False)


@pytest.mark.parametrize(("objective", "best", "worst"), [(UP, 0.9, 0.1), (DOWN, 0.1, 0.9)])
def test_one_of_two_values_is_better(objective: Objective, best: float, worst: float) -> None:
    assert objective.better(best, worst)
    assert not objective.better(worst, best)
    assert not objective.better(best, best)
    assert objective.best([worst, best]) == best
    assert objective.loss(best) < objective.loss(worst)
    assert objective.sign * best > objective.sign * worst


@pytest.mark.parametrize("objective", [UP, DOWN])
def test_nan_is_never_better_and_never_beaten(objective: Objective) -> None:
    assert not objective.better(math.nan, 0.5)
    assert not objective.better(0.5, math.nan)


def test_the_first_of_equal_ones_is_the_best() -> None:
    found = DOWN.best([(2, "a"), (1, "b"), (1, "c")], key=lambda pair: pair[0])
    assert found == (1, "b")

"""Who is measured against whom: fits that were given the same time, and no final training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.pruners.registry import make_pruner, pruners
from automl.engine.study.history import History
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.stage import Stage
from automl.engine.trial.steps import Steps

NONE, SHORT, LONG, FINAL = None, Stage(seconds=15.0), Stage(seconds=40.0), Stage.final_training()
OPTIONS: dict[str, dict[str, Any]] = {
    "asha": {"min_resource": 10, "reduction_factor": 2},
    "hyperband": {"min_resource": 10, "max_resource": 20, "reduction_factor": 2},
    "median": {"n_startup_trials": 2, "n_min_trials": 2},
    "racing": {"n_startup_trials_inside": 2},
    "bandit": {"slack_amount": 0.01},
    "truncation": {"truncation_percentage": 99},
}


@contextmanager
def history(place: Path, pruner: str) -> Iterator[History]:
    chosen = make_pruner(ComponentOptions(name=pruner, options=OPTIONS[pruner]))
    opened = History(place / "journal.log", objective=Objective("score"), pruner=chosen, steps=Steps(100, part=100))
    try:
        yield opened
    finally:
        opened.close()


def is_stopped(made: History, values: Mapping[int, float], stage: Stage | None) -> bool:
    """Whether a new trial that reports `values` by step is stopped at one of them."""
    number = made.add("net", {}, {}, elapsed=0.0, stage=stage)
    stopped = any(made.report(number, step, value) for step, value in values.items())
    status = Status.PRUNED if stopped else Status.COMPLETED
    made.tell(TrialResult(number=number, algorithm="net", status=status, value=list(values.values())[-1]))
    return stopped


def flat(value: float) -> dict[int, float]:
    return dict.fromkeys((10, 20, 30), value)


def test_every_pruner_is_looked_at() -> None:
    assert OPTIONS.keys() | {"none"} == pruners().keys()


@pytest.mark.parametrize("pruner", OPTIONS)
@pytest.mark.parametrize("stage", [SHORT, NONE])
def test_a_group_prunes_its_own(tmp_path: Path, pruner: str, stage: Stage | None) -> None:
    with history(tmp_path, pruner) as made:
        for trial in range(6):
            is_stopped(made, flat(0.9 + trial / 100), stage)
        assert any(is_stopped(made, flat(0.1), stage) for _ in range(3))  # in whichever bracket


@pytest.mark.parametrize("pruner", OPTIONS)
@pytest.mark.parametrize("others", [NONE, LONG, FINAL])
def test_a_short_training_is_not_judged_by_what_others_had_time_for(
    tmp_path: Path, pruner: str, others: Mapping[str, Any]
) -> None:
    with history(tmp_path, pruner) as made:
        for trial in range(6):
            is_stopped(made, flat(0.9 + trial / 100), others)
        assert not is_stopped(made, flat(0.1), SHORT)


@pytest.mark.parametrize("pruner", OPTIONS)
@pytest.mark.parametrize("others", [SHORT, FINAL])
def test_a_learner_of_its_own_length_is_not_judged_by_nets(
    tmp_path: Path, pruner: str, others: Mapping[str, Any]
) -> None:
    with history(tmp_path, pruner) as made:
        for trial in range(6):
            is_stopped(made, flat(0.9 + trial / 100), others)
        assert not is_stopped(made, flat(0.1), NONE)


@pytest.mark.parametrize("pruner", OPTIONS)
def test_a_final_training_is_never_stopped(tmp_path: Path, pruner: str) -> None:
    with history(tmp_path, pruner) as made:
        for trial in range(6):
            is_stopped(made, flat(0.9 + trial / 100), FINAL)
        assert not any(is_stopped(made, flat(0.1), FINAL) for _ in range(3))


@pytest.mark.parametrize("pruner", ["median", "racing"])
def test_groups_are_known_again_after_a_resume(tmp_path: Path, pruner: str) -> None:
    with history(tmp_path, pruner) as made:
        for trial in range(6):
            is_stopped(made, flat(0.9 + trial / 100), SHORT)
    with history(tmp_path, pruner) as made:
        assert not is_stopped(made, flat(0.1), LONG)
        assert is_stopped(made, flat(0.1), SHORT)

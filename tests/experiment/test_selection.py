"""Which trial wins: limits on models, and the one-standard-error rule."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import get_args

import pytest

from automl.engine.search.options import PickRule
from automl.engine.stopping.model_limits import ModelLimits
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.results.leaderboard import leaderboard
from automl.experiment.results.objectives import Objectives
from automl.experiment.results.selection import RULES, Pick, nothing_within_limits, pick_winner

FOLDS = (0.95, 0.97, 0.99)
ERROR = statistics.stdev(FOLDS) / math.sqrt(3)  # 0.0115


def trial(number: int, value: float, seconds: float | None = 0.010, size: int = 1000, **fields: object) -> TrialResult:
    return TrialResult(
        **{
            "number": number,
            "algorithm": f"algorithm_{number}",
            "status": Status.COMPLETED,
            "value": value,
            "fold_scores": FOLDS,
            "predict_latency": seconds,
            "model_size": size,
            **fields,
        }
    )


def objectives(pick: PickRule = "one_standard_error", *, maximize: bool = True, **limits: object) -> Objectives:
    goal = "maximize" if maximize else "minimize"
    return Objectives.model_validate({"goals": {"accuracy": goal}, "pick": pick, **limits})


def pick(*completed: TrialResult, by: Objectives) -> Pick:
    allowed = [result for result in completed if by.limits.allow(result)]
    best = by.primary.best(allowed, key=lambda result: result.value or 0.0)
    return pick_winner(best, completed, by)


def test_every_rule_that_can_be_written_is_there() -> None:
    assert set(RULES) == set(get_args(PickRule))


def test_the_cheapest_within_one_standard_error() -> None:
    picked = pick(
        trial(0, 0.97, 0.090),
        trial(1, 0.97 - 0.9 * ERROR, 0.010),
        trial(2, 0.97 - 1.1 * ERROR, 0.001),
        by=objectives(),
    )
    assert picked.result.number == 1
    assert picked.why == (
        "Within one standard error (0.012) of the best score (trial 0, algorithm_0: accuracy = 0.9700): "
        "9.0 times as fast."
    )


def test_the_rule_works_for_metrics_that_are_minimised() -> None:
    picked = pick(trial(0, 0.97, 0.090), trial(1, 0.975, 0.010), trial(2, 0.99, 0.001), by=objectives(maximize=False))
    assert picked.result.number == 1


def test_of_equally_fast_ones_the_smallest_and_of_equally_small_ones_the_best() -> None:
    fast = [trial(0, 0.97, 0.0104, 3000), trial(1, 0.966, 0.0100, 1000), trial(2, 0.968, 0.0108, 1000)]
    picked = pick(*fast, by=objectives())
    assert picked.result.number == 2
    assert picked.why.endswith(": 3.0 times smaller.")


def test_nothing_is_said_where_the_best_score_is_the_cheapest() -> None:
    assert pick(trial(0, 0.97, 0.001), trial(1, 0.969, 0.010), by=objectives()).why == ""


def test_a_single_fold_has_no_standard_error_and_that_is_said() -> None:
    picked = pick(
        trial(0, 0.97, 0.090, fold_scores=(0.97,)), trial(1, 0.97, 0.001, fold_scores=(0.97,)), by=objectives()
    )
    assert picked.result.number == 0
    assert "standard error of a single fold is unknown" in picked.why


def test_unmeasured_latencies_are_the_slowest_and_hurt_nobody() -> None:
    assert pick(trial(0, 0.97, None), trial(1, 0.969, 0.010), by=objectives()).result.number == 1
    assert pick(trial(0, 0.97, None), by=objectives()).result.number == 0


def test_a_better_score_over_a_limit_is_named() -> None:
    picked = pick(trial(0, 0.97, 0.012), trial(1, 0.96, 0.004), by=objectives("best", predict_time=0.005))
    assert picked.result.number == 1
    assert picked.why == (
        "Trial 0, algorithm_0: accuracy = 0.9700 scored better, but takes 12 ms for a row (limit 5 ms)."
    )


def test_what_is_over_a_limit_is_no_candidate_of_the_rule_either() -> None:
    trials = trial(0, 0.97, 0.004, 1000), trial(1, 0.969, 0.001, 5000), trial(2, 0.968, 0.002, 1000)
    assert pick(*trials, by=objectives(model_size=2000)).result.number == 2


@pytest.mark.parametrize(
    ("limits", "seconds", "size", "exceeded"),
    [
        (ModelLimits(), None, 10**12, ()),
        (ModelLimits(predict_time=0.005), 0.005, 1, ()),
        (ModelLimits(predict_time=0.005), 0.0051, 1, ("predict_time",)),
        (ModelLimits(predict_time=0.005), None, 1, ("predict_time",)),
        (ModelLimits(predict_time=0.005, model_size=10), 1.0, 11, ("predict_time", "model_size")),
    ],
)
def test_limits_on_models(limits: ModelLimits, seconds: float | None, size: int, exceeded: tuple[str, ...]) -> None:
    assert limits.exceeded(trial(0, 0.9, seconds, size)) == exceeded


def test_with_nothing_in_the_limits_the_nearest_are_named(tmp_path: Path) -> None:
    wanted = objectives(predict_time=0.005, model_size=100)
    completed = [trial(0, 0.97, 0.050, 800), trial(7, 0.96, 0.012, 900)]
    said = str(nothing_within_limits(completed, wanted, ExperimentDirectory(tmp_path)))
    assert "2 trials completed, and none is within the limits" in said
    assert "predict_time 5 ms: the fastest is trial 7, algorithm_7: accuracy = 0.9600, 12 ms for a row, 900 B" in said
    assert "model_size 100 B: the smallest is trial 0" in said
    assert f"automl models register {tmp_path} --trial N" in said


def test_the_leaderboard_ranks_what_may_win_and_keeps_the_rest_below() -> None:
    wanted = Objectives(goals={"accuracy": "maximize", "log_loss": "minimize"}, predict_time=0.005)
    board = leaderboard(
        [
            trial(0, 0.97, 0.050, metrics={"accuracy": 0.97, "log_loss": 0.1}),
            trial(1, 0.96, 0.004, metrics={"accuracy": 0.96, "log_loss": 0.2}),
            trial(2, 0.99, 0.004, status=Status.FAILED, metrics={}),
            trial(3, 0.95, 0.004, metrics={"accuracy": 0.95}),
        ],
        wanted,
    )
    assert list(board["trial"]) == [1, 3, 0, 2]
    assert list(board["rank"].dropna()) == [1, 2]
    assert list(board["over_limit"]) == ["", "", "predict_time", ""]
    assert list(board["front"]) == [True, False, True, False]
    assert list(board["log_loss"].dropna()) == [0.2, 0.1]


def test_without_limits_there_is_no_column_for_them() -> None:
    assert "over_limit" not in leaderboard([trial(0, 0.9)], Objectives.simple(Objective("accuracy")))


def test_what_is_preferred_can_be_read_again(tmp_path: Path) -> None:
    directory = ExperimentDirectory(tmp_path)
    directory.data.mkdir()
    assert Objectives.read(directory) is None
    wanted = objectives(predict_time=0.005, maximize=False)
    wanted.write(directory)
    assert Objectives.read(directory) == wanted

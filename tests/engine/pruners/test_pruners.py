"""Which trials each pruner stops, on histories made for it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import optuna
import pytest

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.pruners.base import RememberingPruner
from automl.engine.pruners.registry import make_pruner
from automl.engine.search.options import SearchOptions
from automl.engine.study.history import History
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.steps import Steps
from automl.errors import ConfigError

FOLDS = (100, 200, 300, 400, 500)


@contextmanager
def history(
    place: Path, pruner: str, *, maximize: bool = True, steps: int | None = None, **options: Any
) -> Iterator[History]:
    chosen = make_pruner(ComponentOptions(name=pruner, options=options))
    opened = History(
        place / "journal.log",
        objective=Objective("score", maximize),
        pruner=chosen,
        steps=None if steps is None else Steps(steps, part=100),
    )
    try:
        yield opened
    finally:
        opened.close()


def stopped_at(made: History, reports: dict[int, float], *, fidelity: float = 1.0) -> int | None:
    """The step at which a new trial that reports `reports` is stopped; None if it runs to its end."""
    number = made.add("a", {}, {}, elapsed=0.0, fidelity=fidelity)
    for step, value in reports.items():
        if made.report(number, step, value):
            end(made, number, Status.PRUNED, value)
            return step
    end(made, number, Status.COMPLETED, list(reports.values())[-1])
    return None


def end(made: History, number: int, status: Status, value: float) -> None:
    made.tell(TrialResult(number=number, algorithm="a", status=status, value=value, seconds=1.0))


Ended = list[tuple[dict[int, float], float]]
"""Of each completed trial what it reported by step, and its end."""
Decide = Callable[[Ended, dict[int, float], int, bool], bool]


def expected_of_racing(ended: Ended, reports: dict[int, float], step: int, maximize: bool) -> bool:
    """The rule as its docstring has it, from all trials."""
    if len(ended) < (4 if step % 100 else 3):
        return False
    known = [reports[step], *(end for _, end in ended), *(then[step] for then, _ in ended)]

    def worth(value: float) -> float:
        return value if maximize else -math.log(value) if min(known) > 0 else -value

    gains = sorted(worth(end) - worth(then[step]) for then, end in ended)
    luck = gains[math.ceil(0.95 * len(gains)) - 1]
    return worth(reports[step]) + luck < max(worth(end) for _, end in ended)


def expected_of_the_median(ended: Ended, reports: dict[int, float], step: int, maximize: bool) -> bool:
    if len(ended) < 5:
        return False
    middle = median(then[step] for then, _ in ended)
    so_far = [value for at, value in reports.items() if at <= step]
    return max(so_far) < middle if maximize else min(so_far) > middle


def ended_trial(reports: dict[int, float], value: float | None) -> optuna.trial.FrozenTrial:
    state = optuna.trial.TrialState.RUNNING if value is None else optuna.trial.TrialState.COMPLETE
    return optuna.trial.create_trial(state=state, value=value, intermediate_values=reports)


@pytest.mark.parametrize(
    ("options", "maximize", "best", "goes_on", "stops"),
    [
        ({"slack_factor": 0.25}, True, 0.8, 0.641, 0.639),
        ({"slack_factor": 0.25}, False, 0.8, 0.999, 1.001),
        ({"slack_factor": 0.25}, True, -0.8, -0.999, -1.001),
        ({"slack_factor": 0.25}, False, -0.8, -0.641, -0.639),
        ({"slack_amount": 0.1}, True, 0.8, 0.701, 0.699),
        ({"slack_amount": 0.1}, False, 0.8, 0.899, 0.901),
    ],
)
def test_the_bandit_stops_beyond_its_slack(
    tmp_path: Path, options: dict[str, float], maximize: bool, best: float, goes_on: float, stops: float
) -> None:
    with history(tmp_path, "bandit", maximize=maximize, **options) as made:
        assert stopped_at(made, {100: best}) is None
        assert stopped_at(made, {100: goes_on}) is None
        assert stopped_at(made, {100: stops}) == 100


def test_the_bandit_compares_values_of_the_same_step(tmp_path: Path) -> None:
    with history(tmp_path, "bandit", slack_amount=0.1) as made:
        assert stopped_at(made, {100: 0.5, 200: 0.9}) is None
        assert stopped_at(made, {50: 0.1, 100: 0.45, 200: 0.7}) == 200


def test_the_bandit_knows_trials_that_still_run(tmp_path: Path) -> None:
    with history(tmp_path, "bandit", slack_amount=0.1) as made:
        running = made.add("a", {}, {}, elapsed=0.0)
        assert not made.report(running, 100, 0.9)
        assert stopped_at(made, {100: 0.5}) == 100


@pytest.mark.parametrize("options", [{}, {"slack_factor": 0.1, "slack_amount": 0.1}])
def test_the_bandit_wants_exactly_one_slack(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"^search.pruner.options: give exactly one of slack_factor and slack_amount"):
        make_pruner(ComponentOptions(name="bandit", options=options))


@pytest.mark.parametrize("maximize", [True, False])
def test_truncation_stops_the_worst_percent_of_all_that_reported(tmp_path: Path, maximize: bool) -> None:
    sign = 1 if maximize else -1
    with history(tmp_path, "truncation", maximize=maximize, truncation_percentage=20) as made:
        for value in range(10, 18):
            assert stopped_at(made, {100: sign * value}) is None
        # With it there are 9 (the worst 1 is stopped), then 10 (the worst 2).
        assert stopped_at(made, {100: sign * 10.5}) is None
        assert stopped_at(made, {100: sign * 10.2}) == 100
        assert stopped_at(made, {200: sign * 1}) is None


def test_truncation_stops_none_of_equals(tmp_path: Path) -> None:
    with history(tmp_path, "truncation", truncation_percentage=50) as made:
        assert [stopped_at(made, {100: 1.0}) for _ in range(6)] == [None] * 6


def test_truncation_begins_when_the_percentage_makes_a_trial(tmp_path: Path) -> None:
    with history(tmp_path, "truncation", truncation_percentage=25) as made:
        falling = [stopped_at(made, {100: value}) for value in (0.9, 0.8, 0.7, 0.6)]
    assert falling == [None, None, None, 100]


@pytest.mark.parametrize("percentage", [0, 100])
def test_truncation_stops_some_and_not_all(percentage: int) -> None:
    with pytest.raises(ConfigError, match=r"search.pruner.options.truncation_percentage: "):
        make_pruner(ComponentOptions(name="truncation", options={"truncation_percentage": percentage}))


@pytest.mark.parametrize(("pruner", "options"), [("bandit", {"slack_amount": 0.1}), ("truncation", {}), ("racing", {})])
def test_nan_is_stopped_and_never_the_best(tmp_path: Path, pruner: str, options: dict[str, float]) -> None:
    with history(tmp_path, pruner, **options) as made:
        assert stopped_at(made, {100: math.nan}) == 100
        assert stopped_at(made, {100: 0.5}) is None


@pytest.mark.parametrize(
    ("pruner", "options"),
    [("bandit", {"slack_amount": 0.1}), ("truncation", {"truncation_percentage": 50})],
)
def test_only_reports_that_are_due_are_judged(tmp_path: Path, pruner: str, options: dict[str, Any]) -> None:
    with history(tmp_path, pruner, evaluation_interval=2, delay_evaluation=1, **options) as made:
        stopped_at(made, dict.fromkeys((100, 200, 300, 400, 500), 0.9))
        assert stopped_at(made, dict.fromkeys((100, 200, 300, 400, 500), 0.1)) == 300


def test_hyperband_stops_in_every_bracket_at_a_rung_of_its_own(tmp_path: Path) -> None:
    steps = [step * 100 for step in range(1, 10)]
    with history(tmp_path, "hyperband", max_resource=900) as made:
        stops = {stopped_at(made, dict.fromkeys(steps, 1.0 - trial / 100)) for trial in range(60)}
    assert {100, 300, 900} <= stops


def test_hyperband_learns_from_a_completed_trial_how_long_one_is(tmp_path: Path) -> None:
    with history(tmp_path, "hyperband", min_resource=100) as made:
        running = made.add("a", {}, {}, elapsed=0.0)
        assert not any(made.report(running, step, 0.1) for step in FOLDS)
        stopped_at(made, dict.fromkeys(FOLDS, 0.9))
        stops = {stopped_at(made, dict.fromkeys(FOLDS, 0.8 - trial / 100)) for trial in range(30)}
    assert {100, 300} <= stops


@pytest.mark.parametrize("pruner", ["asha", "hyperband"])
@pytest.mark.parametrize(("steps", "rungs"), [(500, {100, 300}), (100, {20, 40})])
def test_rungs_follow_from_the_folds(tmp_path: Path, pruner: str, steps: int, rungs: set[int]) -> None:
    """Of five folds after the first and the third; of one at the first report after a ninth and after a third of it."""
    reports = FOLDS if steps == 500 else tuple(range(10, 101, 10))
    with history(tmp_path, pruner, steps=steps) as made:
        stopped_at(made, dict.fromkeys(reports, 0.9))
        rising = {step: step / 1000 for step in reports}
        stops = {stopped_at(made, {s: v - trial / 1e5 for s, v in rising.items()}) for trial in range(30)}
        stops |= {stopped_at(made, dict.fromkeys(reports, 1.0 + trial / 100)) for trial in range(30)}
    assert stops - {None} <= rungs
    assert min(rungs) in stops


@pytest.mark.parametrize("pruner", ["median", "asha", "hyperband", "racing"])
def test_nothing_is_stopped_at_its_end(tmp_path: Path, pruner: str) -> None:
    """The work is done: stopping it there would save nothing, and lose a model."""
    with history(tmp_path, pruner, steps=100) as made:
        for _ in range(12):
            assert stopped_at(made, {100: 0.9}) is None
        assert stopped_at(made, {100: 0.1}) is None


def test_racing_stops_what_the_luckiest_gain_would_not_save(tmp_path: Path) -> None:
    with history(tmp_path, "racing", steps=500) as made:
        for gain in (0.03, 0.01, 0.02, -0.01):
            assert stopped_at(made, {100: 0.8, 500: 0.8 + gain}) is None  # the best ends with 0.83
        assert stopped_at(made, {100: 0.801, 500: 0.82}) is None
        assert stopped_at(made, {100: 0.799, 500: 0.9}) == 100


def test_racing_counts_what_a_fold_does_to_all(tmp_path: Path) -> None:
    """Folds after the first are harder by 0.2, so a value above the best's final one may still be hopeless."""
    with history(tmp_path, "racing", steps=500) as made:
        for shift in (0.0, 0.01, 0.02, 0.03):
            assert stopped_at(made, {100: 0.9 + shift, 500: 0.7 + shift}) is None
        assert stopped_at(made, {100: 0.92, 500: 0.72}) == 100
        assert stopped_at(made, {100: 0.94, 500: 0.74}) is None


def test_racing_minimizes_too(tmp_path: Path) -> None:
    with history(tmp_path, "racing", maximize=False, steps=500) as made:
        for gain in (0.03, 0.01, 0.02, -0.01):
            assert stopped_at(made, {100: 0.2, 500: 0.2 - gain}) is None
        assert stopped_at(made, {100: 0.199, 500: 0.18}) is None
        assert stopped_at(made, {100: 0.201, 500: 0.1}) == 100


def test_racing_compares_errors_by_their_ratio(tmp_path: Path) -> None:
    """A bad model's error falls by 0.5 between two steps, and a good one's by a tenth: so may the next good one's."""
    with history(tmp_path, "racing", maximize=False, steps=500) as made:
        for then, end in ((5.0, 4.5), (0.20, 0.18), (0.21, 0.19)):
            assert stopped_at(made, {100: then, 500: end}) is None
        assert stopped_at(made, {100: 0.199, 500: 0.18}) is None
        assert stopped_at(made, {100: 0.25, 500: 0.2}) == 100


def test_racing_minimizes_what_is_not_positive(tmp_path: Path) -> None:
    with history(tmp_path, "racing", maximize=False, steps=500) as made:
        for value in (-1.0, -2.0, -3.0):
            assert stopped_at(made, {100: value + 0.5, 500: value}) is None
        assert stopped_at(made, {100: -2.6, 500: -3.1}) is None
        assert stopped_at(made, {100: -2.4, 500: -3.1}) == 100


def test_racing_wants_some_completed_trials_first(tmp_path: Path) -> None:
    with history(tmp_path, "racing", steps=500) as made:
        falling = [stopped_at(made, {100: value, 500: value}) for value in (0.9, 0.8, 0.7, 0.6)]
    assert falling == [None, None, None, 100]


def test_racing_wants_more_of_them_inside_a_fold(tmp_path: Path) -> None:
    with history(tmp_path, "racing", steps=100) as made:
        falling = [stopped_at(made, {9: value, 100: value}) for value in (0.9, 0.8, 0.7, 0.6, 0.5)]
    assert falling == [None, None, None, None, 9]


def test_racing_can_keep_more_than_the_best(tmp_path: Path) -> None:
    with history(tmp_path, "racing", steps=500, keep=3) as made:
        for value in (0.9, 0.8, 0.7):
            stopped_at(made, {100: value, 500: value})
        assert stopped_at(made, {100: 0.69, 500: 0.69}) == 100
        assert stopped_at(made, {100: 0.71, 500: 0.71}) is None


def test_racing_compares_trials_of_the_same_fidelity(tmp_path: Path) -> None:
    with history(tmp_path, "racing", steps=500) as made:
        for _ in range(4):
            stopped_at(made, {100: 0.9, 500: 0.9}, fidelity=0.1)
        for _ in range(3):
            assert stopped_at(made, {100: 0.5, 500: 0.5}) is None
        assert stopped_at(made, {100: 0.4, 500: 0.4}, fidelity=0.1) is None
        assert stopped_at(made, {100: 0.4, 500: 0.4}) == 100


def test_nothing_loses_a_race_against_what_cannot_win(tmp_path: Path) -> None:
    with history(tmp_path, "racing", steps=500) as made:
        for _ in range(4):
            number = made.add("a", {}, {}, elapsed=0.0)
            made.report(number, 100, 0.9)
            made.tell(TrialResult(number=number, algorithm="a", status=Status.COMPLETED, value=0.9), eligible=False)
        for _ in range(3):
            assert stopped_at(made, {100: 0.5, 500: 0.5}) is None
        assert stopped_at(made, {100: 0.4, 500: 0.4}) == 100


@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("shift", [0.0, -1.0], ids=["positive", "of both signs"])
@pytest.mark.parametrize(("pruner", "decide"), [("racing", expected_of_racing), ("median", expected_of_the_median)])
def test_what_is_remembered_decides_as_the_whole_record_would(
    tmp_path: Path, pruner: str, decide: Decide, maximize: bool, shift: float
) -> None:
    chance, ended, pruned = random.Random(0), [], 0
    with history(tmp_path, pruner, maximize=maximize, steps=500) as made:
        for _ in range(60):
            level = chance.uniform(0.5, 1.5)
            reports = {step: shift + level + chance.gauss(0, 0.1) for step in (50, 100, 300, 400)}
            wanted = next((s for s in reports if decide(ended, reports, s, maximize)), None)
            assert stopped_at(made, {**reports, 500: shift + level}) == wanted
            pruned += wanted is not None
            if wanted is None:
                ended.append((reports, shift + level))
    assert 5 < pruned < 55


@pytest.mark.parametrize("pruner", ["racing", "median"])
def test_a_report_does_not_walk_over_all_trials(pruner: str) -> None:
    """What has completed is told once: nothing is asked of the study, which has no trials here, but its direction."""
    made = make_pruner(ComponentOptions(name=pruner)).make(Steps(500, part=100))
    assert isinstance(made, RememberingPruner)
    for value in (0.9, 0.8, 0.7, 0.85, 0.75):
        made.completed(ended_trial({100: value, 500: value}, value))
    study = optuna.create_study(direction="maximize")
    assert made.prune(study, ended_trial({100: 0.6}, None))
    assert not made.prune(study, ended_trial({100: 0.95}, None))


def test_the_median_is_that_of_trials_of_the_same_fidelity(tmp_path: Path) -> None:
    with history(tmp_path, "median", steps=500) as made:
        for _ in range(8):
            stopped_at(made, {100: 0.9, 500: 0.9}, fidelity=0.1)
        for _ in range(5):
            assert stopped_at(made, {100: 0.5, 500: 0.5}) is None
        assert stopped_at(made, {100: 0.4, 500: 0.4}) == 100


def test_where_a_nearly_best_model_may_win_they_are_not_raced() -> None:
    assert SearchOptions().pruner.name == "racing"
    assert SearchOptions(pick="one_standard_error").pruner.name == "median"
    assert SearchOptions(pick="one_standard_error", pruner="asha").pruner.name == "asha"


def test_hyperband_wants_a_last_step_after_the_first(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search.pruner.options.max_resource: 50 must be above min_resource \(100\)"):
        make_pruner(ComponentOptions(name="hyperband", options={"min_resource": 100, "max_resource": 50}))

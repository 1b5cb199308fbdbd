"""Which trials each pruner stops, on histories made for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from automl.errors import ConfigError
from automl.search.history import History
from automl.search.named import NamedOptions
from automl.search.pruners.registry import make_pruner
from automl.trial.contract import Status, TrialResult


@contextmanager
def history(place: Path, pruner: str, *, maximize: bool = True, **options: Any) -> Iterator[History]:
    chosen = make_pruner(NamedOptions(name=pruner, options=options))
    opened = History(place / "journal.log", maximize=maximize, pruner=chosen)
    try:
        yield opened
    finally:
        opened.close()


def stopped_at(made: History, reports: dict[int, float]) -> int | None:
    """The step at which a new trial that reports `reports` is stopped; None if it runs to its end."""
    number = made.add("a", {}, {}, elapsed=0.0)
    for step, value in reports.items():
        if made.report(number, step, value):
            end(made, number, Status.PRUNED, value)
            return step
    end(made, number, Status.COMPLETED, list(reports.values())[-1])
    return None


def end(made: History, number: int, status: Status, value: float) -> None:
    made.tell(TrialResult(number=number, algorithm="a", status=status, value=value, seconds=1.0))


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
        make_pruner(NamedOptions(name="bandit", options=options))


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
        make_pruner(NamedOptions(name="truncation", options={"truncation_percentage": percentage}))


@pytest.mark.parametrize(("pruner", "options"), [("bandit", {"slack_amount": 0.1}), ("truncation", {})])
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
    steps = [100, 200, 300, 400, 500]
    with history(tmp_path, "hyperband") as made:
        running = made.add("a", {}, {}, elapsed=0.0)
        assert not any(made.report(running, step, 0.1) for step in steps)
        stopped_at(made, dict.fromkeys(steps, 0.9))
        stops = {stopped_at(made, dict.fromkeys(steps, 0.8 - trial / 100)) for trial in range(30)}
    assert {100, 300} <= stops


def test_hyperband_wants_a_last_step_after_the_first(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search.pruner.options.max_resource: 50 must be above min_resource \(100\)"):
        make_pruner(NamedOptions(name="hyperband", options={"max_resource": 50}))

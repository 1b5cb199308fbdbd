"""The conformance suite of pruners.

Derive `PrunerSuite`, and say how to make your pruner.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from automl.engine.pruners.base import Pruner, PrunerSettings
from automl.engine.study.history import History
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.options import Options

__all__ = ["PrunerSuite"]

_STEPS = (100, 200, 300, 400, 500)
_DIRECTIONS = pytest.mark.parametrize("maximize", [True, False], ids=["maximize", "minimize"])


class PrunerSuite:
    """The duties of a pruner.

    Example:
        >>> from automl.engine.pruners.bandit import Bandit
        >>> class TestBandit(PrunerSuite):
        ...     def make_pruner(self) -> Pruner:
        ...         return Bandit(Bandit.Settings(slack_factor=0.1))
        >>> TestBandit().test_it_has_a_name_and_declares_its_options()
    """

    def make_pruner(self) -> Pruner:
        raise NotImplementedError

    # --- what users see

    def test_it_has_a_name_and_declares_its_options(self) -> None:
        kind = type(self.make_pruner())
        assert kind.name.isidentifier()
        assert issubclass(kind.Settings, PrunerSettings)
        assert issubclass(kind.Settings, Options)
        described = kind.Settings.model_json_schema().get("properties", {})
        assert [name for name, option in described.items() if not option.get("description")] == []

    # --- which trials it stops

    @_DIRECTIONS
    def test_a_trial_that_is_alone_runs_to_its_end(self, tmp_path: Path, maximize: bool) -> None:
        with self.history(tmp_path, maximize) as history:
            assert _stopped_at(history, dict.fromkeys(_STEPS, 0.5)) is None

    @_DIRECTIONS
    def test_the_best_is_never_stopped(self, tmp_path: Path, maximize: bool) -> None:
        sign = 1 if maximize else -1
        with self.history(tmp_path, maximize) as history:
            for trial in range(20):
                better = sign * (0.1 + trial / 100)
                assert _stopped_at(history, dict.fromkeys(_STEPS, better)) is None
                _stopped_at(history, dict.fromkeys(_STEPS, sign * 0.05))

    def test_values_that_are_no_numbers_are_survived(self, tmp_path: Path) -> None:
        with self.history(tmp_path) as history:
            for value in (math.nan, 0.5, math.nan, 0.6, 0.7, 0.8, 0.9, math.nan):
                _stopped_at(history, dict.fromkeys(_STEPS, value))
            assert _stopped_at(history, dict.fromkeys(_STEPS, 1.0)) is None

    def test_trials_that_failed_stop_nobody(self, tmp_path: Path) -> None:
        with self.history(tmp_path) as history:
            for _ in range(10):
                number = history.add("a", {}, {}, elapsed=0.0)
                history.report(number, _STEPS[0], 0.9)
                _end(history, number, Status.FAILED, None)
            assert _stopped_at(history, dict.fromkeys(_STEPS, 0.95)) is None

    # --- the same decisions

    @_DIRECTIONS
    def test_a_resumed_search_decides_as_the_uncut_one(self, tmp_path: Path, maximize: bool) -> None:
        trials = [dict.fromkeys(_STEPS, ((7 * trial) % 20) / 20) for trial in range(30)]
        with self.history(tmp_path / "whole", maximize) as history:
            whole = [_stopped_at(history, reports) for reports in trials]
        cut: list[int | None] = []
        for part in (trials[:11], trials[11:25], trials[25:]):
            with self.history(tmp_path / "cut", maximize) as history:
                cut += [_stopped_at(history, reports) for reports in part]
        assert cut == whole

    @_DIRECTIONS
    def test_what_is_best_depends_on_the_direction_alone(self, tmp_path: Path, maximize: bool) -> None:
        """Mirrored values and the opposite direction lead to the same decisions."""
        trials = [dict.fromkeys(_STEPS, 1 + ((7 * trial) % 20) / 20) for trial in range(30)]
        with self.history(tmp_path / "one", maximize) as history:
            one = [_stopped_at(history, reports) for reports in trials]
        with self.history(tmp_path / "other", not maximize) as history:
            other = [_stopped_at(history, {step: -v for step, v in reports.items()}) for reports in trials]
        assert one == other

    def test_only_reports_that_are_due_are_judged(self, tmp_path: Path) -> None:
        kind = type(self.make_pruner())
        options = {**self.make_pruner().settings.model_dump(), "evaluation_interval": 2, "delay_evaluation": 1}
        pruner = kind(kind.Settings(**options))
        assert [reports for reports in range(1, 8) if pruner.due(reports)] in ([3, 5, 7], [])  # none: it never judges

    # --- what the tests share

    @contextmanager
    def history(self, place: Path, maximize: bool = True) -> Iterator[History]:
        """A search's record, as the driver keeps it."""
        place.mkdir(exist_ok=True)
        opened = History(place / "journal.log", objective=Objective("score", maximize), pruner=self.make_pruner())
        try:
            yield opened
        finally:
            opened.close()


def _stopped_at(history: History, reports: Mapping[int, float]) -> int | None:
    """The step at which a new trial that reports `reports` is stopped; None if it runs to its end."""
    number = history.add("a", {}, {}, elapsed=0.0)
    for step, value in reports.items():
        if history.report(number, step, value):
            _end(history, number, Status.PRUNED, value)
            return step
    _end(history, number, Status.COMPLETED, _last(list(reports.values())))
    return None


def _end(history: History, number: int, status: Status, value: float | None) -> None:
    history.tell(TrialResult(number=number, algorithm="a", status=status, value=value, seconds=1.0))
    history.commit()


def _last(values: Sequence[float]) -> float | None:
    return None if math.isnan(values[-1]) else values[-1]

"""How much time a fold's fit has, and at which steps it reports."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.client import Run
from automl.learning.training.fold_progress import FoldProgress

HOUR = 3_600.0


class Fold:
    """A fold's progress, and what was reported through it."""

    def __init__(self, place: Path, *, run: dict[str, Any] | None = None, **options: Any) -> None:
        self.reports: list[tuple[int, float]] = []
        self.predicted = 0
        sink = lambda name, value, step: self.reports.append((step, value))  # noqa: E731
        self.run = Run(place, number=0, sink=sink, **(run or {}))
        chosen = {"fold": 0, "folds_left": 1, "completed": [], "wanted": True, **options}
        self.progress = FoldProgress(self.run, metric="accuracy", score=lambda p: float(p[0]), **chosen)

    def report(self, fraction: float) -> None:
        def predict() -> np.ndarray:
            self.predicted += 1
            return np.array([fraction])

        self.progress.report(fraction, predict)
        self.run.close()


def test_without_a_limit_there_is_no_end(tmp_path: Path) -> None:
    progress = Fold(tmp_path).progress
    assert progress.seconds_left == math.inf
    assert not progress.anytime
    assert not progress.should_stop()


def test_an_anytime_fit_has_what_was_allotted(tmp_path: Path) -> None:
    fold = Fold(tmp_path, run={"seconds": 2 * HOUR}, allotted=HOUR)
    assert fold.progress.seconds_left == pytest.approx(HOUR, rel=0.01)


def test_no_fold_has_more_than_its_share_of_the_limit(tmp_path: Path) -> None:
    fold = Fold(tmp_path, run={"seconds": HOUR}, allotted=HOUR, folds_left=4)
    assert fold.progress.seconds_left == pytest.approx(HOUR / 4, rel=0.01)


def test_a_final_training_has_all_but_a_moment(tmp_path: Path) -> None:
    """The moment is for scores and files: the fit leaves time for its predictions itself."""
    fold = Fold(tmp_path, run={"seconds": HOUR}, allotted=HOUR)
    assert HOUR - 10.0 < fold.progress.seconds_left < HOUR - 1.0


def test_the_end_of_its_plan_is_the_end_of_the_fit(tmp_path: Path) -> None:
    """It is not told to stop at a share of it, as a learner is that knows nothing of time."""
    fold = Fold(tmp_path, run={"seconds": HOUR}, allotted=0.05)
    while fold.progress.seconds_left > 0:
        assert not fold.progress.should_stop() or fold.progress.seconds_left == 0
        time.sleep(0.001)
    assert fold.progress.should_stop()


def test_a_fit_of_its_own_length_knows_its_limit(tmp_path: Path) -> None:
    fold = Fold(tmp_path, run={"seconds": HOUR})
    assert fold.progress.seconds_left > HOUR / 2


def test_an_anytime_fit_reports_at_tenths(tmp_path: Path) -> None:
    """So those of fast and of slow nets meet."""
    fold = Fold(tmp_path, allotted=HOUR, fold=2, completed=[0.0, 0.0])
    for fraction in (0.04, 0.13, 0.17, 0.41, 0.995, 1.0):
        fold.report(fraction)
    assert [step for step, _ in fold.reports] == [210, 240, 290]
    assert fold.predicted == 3, "nothing is predicted for a report that is not made"


def test_other_fits_report_where_they_are(tmp_path: Path) -> None:
    fold = Fold(tmp_path)
    for fraction in (0.13, 0.17):
        fold.report(fraction)
    assert [step for step, _ in fold.reports] == [13, 17]


def test_few_rows_are_no_reason_for_silence_where_the_fit_takes_its_time(tmp_path: Path) -> None:
    assert Fold(tmp_path, allotted=HOUR, wanted=False).progress.wanted
    assert not Fold(tmp_path, wanted=False).progress.wanted


def test_each_fold_has_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    (parent / "fold_01").mkdir(parents=True)
    folds = [Fold(tmp_path, run={"parent_checkpoint": parent}, fold=n, folds_left=2 - n) for n in range(2)]
    first, second = (fold.progress.checkpoints for fold in folds)
    assert first is not None and second is not None
    assert first.own != second.own
    assert (first.parent, second.parent) == (None, parent / "fold_01")

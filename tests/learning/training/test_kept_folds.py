"""What is left of a trial that is ended before its last fold: a model of the folds that it has completed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.client import Run, TrialPruned
from automl.engine.space.space import AlgorithmSpace
from automl.engine.trial.contract import Outcome, Partial, Status, TrialLimits, TrialResult, TrialSpec
from automl.engine.trial.partial import PREFIX, keep, read_note
from automl.engine.workspace.layout import TrialDirectory
from automl.learning.data.load import load_table
from automl.learning.ensemble.bag import load_bag
from automl.learning.metrics.registry import get_metric, metrics_of
from automl.learning.tasks.registry import get_task
from automl.learning.training.cross_validation import LearnerWork
from automl.learning.training.first_model import rows_of_the_next
from automl.learning.training.kept_folds import FIRST_MODEL, Part
from automl.learning.validation.options import ValidationOptions
from automl.learning.validation.plan import make_plan

ALGORITHMS = {
    "logistic": AlgorithmSpace(estimator="sklearn.linear_model.LogisticRegression"),
    "forest": AlgorithmSpace(estimator="sklearn.ensemble.RandomForestClassifier", fixed={"n_estimators": 5}),
    "never": AlgorithmSpace(estimator="sklearn.linear_model.LogisticRegression", fixed={"C": -1.0}),
}
BUDGET = TrialLimits(seconds=600.0, left=600.0)
"""Of a search with a time budget that is not going to be over."""


def flowers(rows: int = 300, classes: int = 2) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, rows)
    return pd.DataFrame(rng.normal(size=(rows, 4)) + y[:, None], columns=list("abcd")), y


def work_on(rows: int = 300, classes: int = 2, **validation: object) -> LearnerWork:
    table = load_table(flowers(rows, classes), task="classification")
    kind = get_task("classification")
    target = kind.prepare(table.y)
    options = ValidationOptions.model_validate(validation or {"strategy": "kfold", "folds": 3})
    return LearnerWork(
        X=table.X,
        target=target,
        columns=table.columns,
        plan=make_plan(options, y=target.values, n_rows=len(table.X), stratify=True, seed=0),
        algorithms=ALGORITHMS,
        primary=get_metric("accuracy", "classification", target.n_classes),
        metrics=metrics_of("classification", target.n_classes),
    )


def run(
    work: LearnerWork, place: Path, algorithm: str = "forest", *, folds: int | None = None, **spec: object
) -> Outcome:
    """One trial, which is asked to stop once it has completed `folds` folds."""
    place.mkdir(parents=True, exist_ok=True)
    done: list[int] = []

    def sink(name: str, value: float, step: int) -> None:
        done.append(step)

    stop: Callable[[], bool] = lambda: folds is not None and len(done) >= folds  # noqa: E731
    run = Run(place, number=0, sink=sink, stop_requested=stop)
    try:
        given = TrialSpec(0, algorithm, {}, place, seed=1)
        return work(replace(given, **{"keep_partial": True, **spec}), run)  # type: ignore[arg-type]
    finally:
        run.close()


def ended(place: Path, status: Status = Status.CANCELLED) -> TrialResult:
    return keep(TrialDirectory(place), TrialResult(number=0, algorithm="forest", status=status))


def cut(work: LearnerWork, place: Path, folds: int, **spec: object) -> None:
    with pytest.raises(TrialPruned):
        run(work, place, folds=folds, **spec)


def test_the_folds_that_were_completed_are_the_model(tmp_path: Path) -> None:
    work = work_on()
    whole = run(work, tmp_path / "whole")
    cut(work, tmp_path / "cut", folds=2)
    result = ended(tmp_path / "cut")
    assert result.is_partial
    assert not result.is_whole
    assert result.extent == "validated on 2 of 3 folds"
    assert result.fold_scores == whole.fold_scores[:2]
    assert result.value == np.mean(whole.fold_scores[:2])
    assert result.share == pytest.approx(2 / 3)
    assert len(load_bag(tmp_path / "cut" / "models").models) == 2


def test_predictions_are_kept_for_the_rows_of_completed_folds_alone(tmp_path: Path) -> None:
    work = work_on()
    run(work, tmp_path / "whole")
    cut(work, tmp_path / "cut", folds=1)
    ended(tmp_path / "cut")
    (known,), (expected,) = (np.load(tmp_path / name / "oof.npy") for name in ("cut", "whole"))
    rows = work.plan.folds[0].valid
    np.testing.assert_array_equal(known[rows], expected[rows])
    assert np.isnan(np.delete(known, rows, axis=0)).all()


def test_a_model_whose_fold_was_not_noted_any_more_does_not_count(tmp_path: Path) -> None:
    cut(work_on(), tmp_path, folds=1)
    (tmp_path / "models" / "fold_01.joblib").write_bytes(b"torn by a kill")
    assert ended(tmp_path).partial is not None
    assert len(load_bag(tmp_path / "models").models) == 1


def test_what_was_kept_may_be_kept_again_and_gone_on_from(tmp_path: Path) -> None:
    """A kill between the files of a kept note and the result leaves both to the next session."""
    work = work_on()
    whole = run(work, tmp_path / "whole")
    cut(work, tmp_path / "cut", folds=2)
    assert ended(tmp_path / "cut") == ended(tmp_path / "cut")
    assert run(work, tmp_path / "cut", attempt=2).fold_scores == whole.fold_scores
    oof = [np.load(tmp_path / name / "oof.npy") for name in ("cut", "whole")]
    np.testing.assert_array_equal(*oof)


def test_repeats_are_kept_apart_in_what_was_completed(tmp_path: Path) -> None:
    work = work_on(strategy="kfold", folds=2, repeats=2)
    run(work, tmp_path / "whole")
    cut(work, tmp_path / "cut", folds=3)
    ended(tmp_path / "cut")
    known, expected = (np.load(tmp_path / name / "oof.npy") for name in ("cut", "whole"))
    np.testing.assert_array_equal(known[0], expected[0])
    assert np.isnan(known[1]).any(axis=1).sum() == len(work.plan.folds[3].valid)


def test_a_whole_trial_leaves_no_notes(tmp_path: Path) -> None:
    run(work_on(), tmp_path)
    assert not list(tmp_path.glob("completed*"))


def test_who_need_not_keep_partial_leaves_none(tmp_path: Path) -> None:
    cut(work_on(), tmp_path, folds=2, keep_partial=False)
    assert not (tmp_path / "models").exists()
    assert read_note(TrialDirectory(tmp_path)) is None


def test_a_second_attempt_goes_on_and_comes_to_the_same(tmp_path: Path) -> None:
    work = work_on()
    whole = run(work, tmp_path / "whole")
    cut(work, tmp_path / "again", folds=2)
    before = (tmp_path / "again" / "models" / "fold_01.joblib").stat().st_mtime_ns
    again = run(work, tmp_path / "again", attempt=2)
    assert (again.value, again.metrics, again.fold_scores) == (whole.value, whole.metrics, whole.fold_scores)
    oof = [np.load(tmp_path / name / "oof.npy") for name in ("again", "whole")]
    np.testing.assert_array_equal(*oof)
    assert (tmp_path / "again" / "models" / "fold_01.joblib").stat().st_mtime_ns == before


@pytest.mark.parametrize("torn", [b"", b"\x93NUMPY\x01", None])
def test_a_second_attempt_whose_predictions_are_torn_starts_from_nothing(tmp_path: Path, torn: bytes | None) -> None:
    work = work_on()
    whole = run(work, tmp_path / "whole")
    cut(work, tmp_path / "again", folds=2)
    (predictions,) = (tmp_path / "again").glob(f"{PREFIX}*.npy")
    if torn is None:
        np.save(predictions, np.float32(0.5))  # of another shape
    else:
        predictions.write_bytes(torn)
    assert run(work, tmp_path / "again", attempt=2).fold_scores == whole.fold_scores
    oof = [np.load(tmp_path / name / "oof.npy") for name in ("again", "whole")]
    np.testing.assert_array_equal(*oof)


@pytest.mark.parametrize("detail", [{}, {"folds": 1, "of": 3}, {"folds": "one", "of": 3, "validated": 9}, {"x": 1}])
def test_a_part_whose_record_is_damaged_is_unknown(detail: dict[str, object]) -> None:
    assert Part.read(Partial(share=0.5, extent="half of it", detail=detail)) is None


def test_a_part_is_read_as_it_was_written() -> None:
    part = Part(folds=2, of=3, validated=200)
    assert Part.read(part.as_partial()) == part


def test_a_second_attempt_that_keeps_nothing_starts_from_nothing(tmp_path: Path) -> None:
    cut(work_on(), tmp_path, folds=2)
    with pytest.raises(ValueError, match="C"):
        run(work_on(), tmp_path, "never", attempt=2, keep_partial=False)
    assert not (tmp_path / "models").exists()


# A model of some of the rows, before the first fold


def test_a_first_model_is_there_before_the_first_fold(tmp_path: Path) -> None:
    work = work_on(6_000, 5, strategy="holdout", fraction=0.2)
    cut(work, tmp_path, folds=0, limits=BUDGET)  # asked to stop at once: it comes no further than to its first model
    assert not ended(tmp_path).is_partial
    with pytest.raises(ValueError, match="C"):  # nor does this one, whose folds cannot be learned
        run(work, tmp_path / "never", "never", limits=BUDGET)
    stop_after_it(work, tmp_path / "first")
    result = ended(tmp_path / "first")
    assert result.partial is not None
    assert 500 <= round(result.partial.share * 4_800) <= 505
    assert result.extent == "trained on 11% of the training rows, validated on 503 rows"
    assert result.value is not None
    assert result.value > 0.5  # of five classes that overlap
    X, _ = flowers(6_000, 5)
    assert load_bag(tmp_path / "first" / "models").predict_proba(X[:10]).shape == (10, 5)


def stop_after_it(work: LearnerWork, place: Path) -> None:
    place.mkdir(parents=True)
    run = Run(place, number=0, stop_requested=lambda: (place / "models" / FIRST_MODEL).exists())
    with pytest.raises(TrialPruned):
        work(TrialSpec(0, "forest", {}, place, seed=1, keep_partial=True, limits=BUDGET), run)


def test_the_first_model_gives_way_and_changes_nothing(tmp_path: Path) -> None:
    work = work_on(6_000)
    plain = run(work, tmp_path / "plain", keep_partial=False)
    kept = run(work, tmp_path / "kept", limits=BUDGET)
    assert (kept.value, kept.metrics, kept.fold_scores) == (plain.value, plain.metrics, plain.fold_scores)
    assert {f.name for f in (tmp_path / "kept" / "models").iterdir()} == {f"fold_0{fold}.joblib" for fold in range(3)}


def test_a_completed_fold_takes_the_first_models_place(tmp_path: Path) -> None:
    cut(work_on(6_000), tmp_path, folds=1, limits=BUDGET)
    assert ended(tmp_path).extent == "validated on 1 of 3 folds"
    assert [file.name for file in (tmp_path / "models").iterdir()] == ["fold_00.joblib"]


def test_classes_that_are_rare_are_in_the_first_model(tmp_path: Path) -> None:
    work = work_on(4_000, 600, strategy="holdout", fraction=0.4)
    stop_after_it(work, tmp_path / "first")
    X, _ = flowers(10)
    assert load_bag(tmp_path / "first" / "models").predict_proba(X).shape == (10, work.target.n_classes)


@pytest.mark.parametrize(
    ("took", "left", "rows"),
    [
        (1.0, 250.0, None),  # 100 times the rows should take 100 s, and 200 s at worst: the fold is next
        (1.0, 100.0, 12_500),  # a quarter of the time, at the same pace
        (0.1, 19.0, 23_750),
        (40.0, 100.0, None),  # no more than what there is
        (1.0, math.inf, None),
    ],
)
def test_more_rows_follow_where_the_fold_looks_too_long(took: float, left: float, rows: int | None) -> None:
    assert rows_of_the_next(500, 50_000, took, left) == rows


def test_the_next_model_has_no_more_than_half_of_the_rows() -> None:
    assert rows_of_the_next(500, 50_000, 0.5, 99.0) == 24_750
    assert rows_of_the_next(500, 2_000, 10.0, 79.0) is None  # half of them are not worth another fit


def test_without_a_time_budget_there_is_no_first_model(tmp_path: Path) -> None:
    cut(work_on(6_000), tmp_path, folds=0, limits=TrialLimits())
    assert not (tmp_path / "models").exists()

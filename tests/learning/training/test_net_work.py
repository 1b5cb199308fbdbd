"""A trial that trains a net."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.client import Run, current_run
from automl.engine.space.space import AlgorithmSpace
from automl.engine.trial.contract import Lineage, Outcome, TrialLimits, TrialResources, TrialSpec
from automl.learning.data.images.images import Images
from automl.learning.data.kinds import ColumnKind, ImageColumn
from automl.learning.metrics.registry import get_metric
from automl.learning.tasks.registry import get_task
from automl.learning.training.cross_validation import LearnerWork
from automl.learning.validation.options import ValidationOptions
from automl.learning.validation.plan import make_plan

torch = pytest.importorskip("torch")

NET = AlgorithmSpace(
    estimator="automl.learning.algorithms.nets.conv.ConvNet",
    requires="torch",
    view="pixels",
    anytime=True,
    fixed={"width": 8, "batch_size": 64, "device": "cpu"},
)


@pytest.fixture(scope="module")
def work() -> LearnerWork:
    """2,600 noisy pictures of 8 x 8, of which a fifth is held out; a class is a bright side."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 2600)
    pixels = rng.integers(0, 120, (2600, 8, 8, 1), dtype=np.uint8)
    down, across = np.indices((8, 8))
    sides = np.stack([down < 3, down > 4, across < 3, across > 4])
    pixels += 60 * sides[y][..., None].astype(np.uint8)
    task = get_task("image_classification")
    target = task.prepare(np.array(["up", "down", "left", "right"])[y])
    options = ValidationOptions(strategy="holdout", fraction=0.2)
    column = ImageColumn(name="image", kind=ColumnKind.IMAGE, missing=0, unique=2600, height=8, width=8, channels=1)
    return LearnerWork(
        X=Images(pixels),
        target=target,
        columns=(column,),
        plan=make_plan(options, y=target.values, n_rows=2600, stratify=True, seed=0),
        algorithms={"net": NET},
        primary=get_metric("accuracy", "classification", 4),
    )


def run(work: LearnerWork, directory: Path, **changes: Any) -> tuple[Outcome, Run, list[tuple[int, float]]]:
    directory.mkdir(parents=True, exist_ok=True)
    reports: list[tuple[int, float]] = []
    spec = TrialSpec(0, "net", changes.pop("params", {}), directory, **changes)
    it = Run(
        directory,
        number=0,
        sink=lambda name, value, step: reports.append((step, value)) if name == "accuracy" else None,
        seconds=spec.limits.seconds,
        allotted=spec.limits.allotted,
        parent_checkpoint=spec.lineage.checkpoint,
    )
    with current_run(it):
        return work(spec, it), it, reports


def test_a_net_is_scored_reported_logged_and_kept(work: LearnerWork, tmp_path: Path) -> None:
    outcome, it, reports = run(work, tmp_path / "0", params={"epochs": 5})
    assert outcome.value is not None and outcome.value > 0.9 and not outcome.cut_short  # a quarter by chance
    steps = [step for step, _ in reports]
    assert steps == sorted(set(steps)) and steps[-1] == 100 and len(steps) > 2
    assert {"train_loss", "train_accuracy"} <= it.metrics.keys()
    with open(tmp_path / "0" / "models" / "fold_00.joblib", "rb") as file:
        pipeline = pickle.load(file)
    valid = work.plan.folds[0].valid
    right = pipeline.predict(work.X.take(valid)).argmax(axis=1) == work.target.values[valid]
    assert right.mean() == pytest.approx(outcome.value)


def test_it_fills_the_time_that_it_is_allotted(work: LearnerWork, tmp_path: Path) -> None:
    limits = TrialLimits(seconds=600.0, allotted=3.0)
    outcome, _, reports = run(work, tmp_path / "0", limits=limits)
    assert outcome.cut_short and outcome.value is not None and outcome.value > 0.9
    assert outcome.fit_seconds < 60  # far from the seconds that only limit it
    assert reports[-1][0] == 100
    state = torch.load(tmp_path / "0" / "checkpoint" / "fold_00" / "state.pt", weights_only=True)
    assert state["progress"] == 1.0  # a child begins a schedule of its own, and not at the end of this one


def test_fidelity_is_a_part_of_the_training_on_all_rows(work: LearnerWork, tmp_path: Path) -> None:
    run(work, tmp_path / "0", params={"epochs": 4}, fidelity=0.5)
    checkpoint = tmp_path / "0" / "checkpoint"
    half = torch.load(checkpoint / "fold_00" / "state.pt", weights_only=True)
    assert half["progress"] == 0.5 and half["epochs"] == 2
    lineage = Lineage(parent=0, checkpoint=checkpoint)
    run(work, tmp_path / "1", params={"epochs": 4}, fidelity=1.0, lineage=lineage)
    whole = torch.load(tmp_path / "1" / "checkpoint" / "fold_00" / "state.pt", weights_only=True)
    assert whole["progress"] == 1.0 and whole["epochs"] == pytest.approx(4)
    run(work, tmp_path / "2", params={"epochs": 4})
    first, second = (np.load(tmp_path / name / "oof.npy") for name in ("1", "2"))
    np.testing.assert_array_equal(first, second)  # one training, whether in parts or not


@pytest.mark.parametrize(("alone", "times"), [(True, 3.0), (False, 1.0)])
def test_a_final_training_leaves_time_for_the_test_rows(
    work: LearnerWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool, times: float
) -> None:
    """Its length is unknown until it has ended, so nobody else could keep that time."""
    from automl.learning.algorithms.nets.training_budget import TrainingBudget

    seen: list[float] = []
    told = TrainingBudget.of

    def listen(epochs: int | None, seconds: float | None, progress: Any) -> TrainingBudget:
        seen.append(progress.predictions)
        return told(epochs, seconds, progress)

    monkeypatch.setattr(TrainingBudget, "of", listen)
    tested = replace(work, tested=2 * len(work.plan.folds[0].valid))
    limits = TrialLimits(seconds=600.0, allotted=2.0)
    run(tested, tmp_path / "0", limits=limits, resources=TrialResources(alone=alone))
    assert seen == [pytest.approx(times)]

"""Pictures, from wherever they lie to a registered model."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

import automl
from automl import api
from automl.cli import console
from automl.engine.workspace.layout import Workspace
from automl.errors import DataError, SpaceError
from automl.experiment.result import Result
from automl.tracking.follower import wait_for_follower

SIDE = 12
CLASSES = ["bar", "cross", "dot"]
CLASSICAL = {"algorithms": {"allow": ["ridge_hog", "ridge_patches", "knn_hog"]}}
INLINE = {"executor": "inline"}
QUIET: dict[str, Any] = {"tracking": None, "registry": None, "progress": False}


def pictures(n: int, *, seed: int = 0, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Noisy bars, crosses and dots, somewhere in the picture: uint8 (n, side, side), and their names."""
    draw = np.random.default_rng(seed)
    kind = np.arange(n) % 3
    canvas = draw.integers(0, 60, (n, side, side))
    thick, half = side // 6, side // 4
    for picture, k, (y, x) in zip(canvas, kind, draw.integers(half, side - half, (n, 2)), strict=True):
        if k == 2:
            picture[y - thick // 2 : y + thick, x - thick // 2 : x + thick] += 180
            continue
        picture[y : y + thick, x - half : x + half] += 150
        if k == 1:
            picture[y - half : y + half, x : x + thick] = 200
    return canvas.clip(0, 255).astype(np.uint8), np.array(CLASSES, dtype=object)[kind]


def search(workspace: Path, data: Any, **arguments: Any) -> Result:
    options: dict[str, Any] = {
        "max_trials": 3,
        "workspace": str(workspace),
        "search": CLASSICAL,
        "compute": INLINE,
        "name": "shapes",
    }
    return automl.fit("classification", data, **{**options, **QUIET, **arguments})


DATA = {"source": pictures(150), "test": pictures(60, seed=1)}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """An experiment on arrays, in a process of its own, with test pictures, and a registered winner."""
    compute = {"executor": "process", "max_workers": 1}
    return search(tmp_path_factory.mktemp("images") / "ws", DATA, registry={}, compute=compute)


@pytest.fixture
def copied(result: Result, tmp_path: Path) -> Path:
    """A copy of the experiment that a test may change, without processes and MLflow."""
    folder = Path(shutil.copytree(result.directory, tmp_path / "ws" / "shapes" / result.directory.name))
    config = yaml.safe_load((folder / "experiment.yaml").read_text())
    (folder / "experiment.yaml").write_text(yaml.safe_dump(config | {"compute": INLINE, "registry": None}))
    return folder


def test_classification_of_pictures_determines_its_task_once(result: Result) -> None:
    config = yaml.safe_load((result.directory / "experiment.yaml").read_text())
    assert config["task"] == result.summary.task == "image_classification"
    assert result.summary.metric == "accuracy"
    assert {"log_loss", "f1_macro"} <= set(result.best.metrics)


def test_it_learns_and_scores_the_test_part_once(result: Result) -> None:
    assert result.best.value > 0.9
    assert len(result.best.fold_scores) == 5
    assert result.test_metrics["accuracy"] > 0.9
    assert sorted(result.leaderboard()["algorithm"]) == ["knn_hog", "ridge_hog", "ridge_patches"]
    assert {guardrail.name for guardrail in result.guardrails} >= {"class_balance", "duplicates_across_split"}


def test_predict_takes_raw_pictures_of_any_size(result: Result, tmp_path: Path) -> None:
    X, y = pictures(30, seed=2)
    expected = result.predict(X)
    assert (expected == y).mean() > 0.9
    twice = [Image.fromarray(picture).resize((2 * SIDE, 2 * SIDE), Image.Resampling.NEAREST) for picture in X]
    files = []
    for number, image in enumerate(twice):
        files.append(tmp_path / f"{number}.png")
        image.convert("RGB").save(files[-1])
    for given in (twice, files, [str(file) for file in files], X[..., None], X / 255.0):
        assert (result.predict(given) == expected).mean() > 0.9
    assert result.predict_proba(X).shape == (30, 3)
    with pytest.raises(DataError):
        result.predict([tmp_path / "missing.png"])


def test_the_registered_model_predicts_the_same_through_mlflow(result: Result) -> None:
    import mlflow

    assert result.registered_model is not None
    assert wait_for_follower(Workspace(result.directory.parent.parent), 180)
    mlflow.set_tracking_uri(f"sqlite:///{result.directory.parent.parent / 'mlflow.db'}")
    loaded = mlflow.pyfunc.load_model("models:/shapes@champion")
    X = pictures(12, seed=3)[0][..., None]
    assert list(loaded.predict(X)) == list(result.predict(X))
    assert loaded.metadata.signature.inputs.is_tensor_spec()
    larger = np.repeat(np.repeat(X, 2, axis=1), 2, axis=2)
    assert len(loaded.predict(larger)) == 12
    again = automl.load_model("shapes", workspace=result.directory.parent.parent)
    assert np.allclose(again.predict_proba(X), result.predict_proba(X))


def test_it_can_be_resumed_and_extended_after_its_end(result: Result, copied: Path) -> None:
    same = automl.resume(copied, progress=False)
    assert same.best == result.best
    more = automl.resume(copied, max_trials=4, progress=False)
    assert len(more.trials()) == 4
    assert more.best.value >= result.best.value


def test_a_trial_can_be_replayed_from_its_record(copied: Path) -> None:
    assert api.replay(copied, trial=1).identical


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """90 PNG files of two sizes, a subfolder for each class."""
    X, y = pictures(90)
    for number, (picture, label) in enumerate(zip(X, y, strict=True)):
        file = tmp_path / "shapes" / label / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).resize((SIDE + number % 2,) * 2).save(file)
    return tmp_path


def test_a_folder_of_pictures_through_a_file_and_the_command_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "shapes.yaml"
    document = {
        "task": "classification",
        "data": "./shapes",
        "limits": {"max_trials": 2},
        "search": CLASSICAL,
        "compute": {"executor": "inline"},
        "registry": None,
        "tracking": None,
    }
    file.write_text(yaml.safe_dump(document))
    assert api.validate(file).task == "image_classification"
    planned = api.plan(file)
    assert planned["task"] == "image_classification"
    assert planned["data"]["pictures"].startswith("90 of ")
    assert planned["data"]["classes"] == CLASSES
    assert [row["algorithm"] for row in planned["algorithms"]] == ["ridge_hog", "ridge_patches", "knn_hog"]
    monkeypatch.setattr("sys.argv", ["automl", "run", str(file), "--workspace", str(folder / "ws"), "--json"])
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))  # the command line puts its own there
    assert not console.run()
    shown = json.loads(capsys.readouterr().out)
    assert shown["task"] == "image_classification"
    assert shown["counts"] == {"COMPLETED": 2}


def test_the_same_seed_gives_the_same_bits_with_any_executor(result: Result, tmp_path: Path) -> None:
    kept = ["trial", "algorithm", "score", "spread"]
    assert search(tmp_path, DATA).leaderboard()[kept].equals(result.leaderboard()[kept])


def test_validation_pictures_of_ones_own(tmp_path: Path) -> None:
    given = {"source": pictures(60, seed=4)}
    found = search(tmp_path, pictures(150), validation=given, max_trials=1)
    assert len(found.best.fold_scores) == 1
    assert found.best.value > 0.9


def test_twins_on_both_sides_of_the_split_are_told(tmp_path: Path) -> None:
    X, y = pictures(90)
    doubled = np.concatenate([X, X]), np.concatenate([y, y])
    found = search(tmp_path, doubled, max_trials=1)
    alert = next(guardrail for guardrail in found.guardrails if guardrail.name == "duplicates_across_split")
    assert "training row" in alert.message


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"svm": {"estimator": "sklearn.svm.SVC", "view": "native"}}, "'native' is for tables, and this is about"),
        ({"svm": {"estimator": "sklearn.svm.SVC", "view": "hogs"}}, "hog"),
    ],
)
def test_a_view_that_there_is_not_is_refused_before_the_search(tmp_path: Path, space: Any, said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        search(tmp_path, pictures(30), search={"space": {"algorithms": space}})


def test_an_experiment_on_a_table_refuses_views_of_pictures(tmp_path: Path) -> None:
    space = {"algorithms": {"svm": {"estimator": "sklearn.svm.SVC", "view": "hog"}}}
    with pytest.raises(SpaceError, match="'hog' is for pictures, and this is about tables"):
        search(tmp_path, "iris", search={"space": space})


def test_estimators_for_tables_say_who_takes_pictures() -> None:
    X, y = pictures(30)
    with pytest.raises(ValueError, match="task='image_classification'"):
        automl.AutoMLClassifier(max_trials=1).fit(X[..., None], y)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
def test_a_net_joins_the_search(tmp_path: Path) -> None:
    space = {
        "algorithms": {
            "tiny": {
                "estimator": "automl.learning.algorithms.nets.conv.ConvNet",
                "requires": "torch",
                "view": "pixels",
                "anytime": True,
                "fixed": {"epochs": 12, "batch_size": 16, "width": 16, "ema": 0.9},
            }
        }
    }
    found = search(tmp_path, pictures(150), search={"space": space}, max_trials=1, validation={"fraction": 0.2})
    assert found.best.value > 0.7  # chance is a third
    assert len(found.predict(pictures(5, side=20)[0])) == 5

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from automl.data.images.images import Images
from automl.registry.candidate import read_example, write_example
from automl.registry.model_files import predict_saved, same_predictions, save_model
from automl.registry.own_modules import is_own


def test_columns_that_mlflow_would_refuse_are_of_any_type(tmp_path: Path) -> None:
    from sklearn.dummy import DummyClassifier

    frame = pd.DataFrame(
        {
            "whole": [1, 2],
            "text": ["a", None],
            "kind": pd.Categorical(["x", "y"]),
            "zoned": pd.to_datetime(["2026-01-01", "2026-01-02"]).tz_localize("UTC"),
            "lasted": pd.to_timedelta([1, 2], unit="s"),
            "mixed": pd.Series([1, "a"], dtype=object),
        }
    )
    model = DummyClassifier().fit(frame, ["p", "q"])
    save_model(model, tmp_path / "model", example=frame, predictions=model.predict(frame), packages={})

    from mlflow.models import get_model_info

    columns = get_model_info(str(tmp_path / "model")).signature.inputs
    assert columns.input_names() == list(frame.columns)
    assert [str(c.type) for c in columns.inputs[:2]] == ["DataType.long", "DataType.string"]
    assert predict_saved(tmp_path / "model", frame).tolist() == ["p", "p"]


def test_example_rows_keep_their_types(tmp_path: Path) -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(["x", "y"] * 4), "n": np.arange(8, dtype="int16")})
    pd.testing.assert_frame_equal(read_example(write_example(frame, tmp_path / "example")), frame.head(5))
    mixed = pd.DataFrame({"m": pd.Series([1, "a", None], dtype=object)})
    pd.testing.assert_frame_equal(read_example(write_example(mixed, tmp_path / "mixed")), mixed)


def test_pictures_go_in_as_one_array_of_any_size(tmp_path: Path) -> None:
    pixels = np.arange(7 * 4 * 3 * 1, dtype=np.uint8).reshape(7, 4, 3, 1)
    example = read_example(write_example(Images(pixels), tmp_path / "example"))
    np.testing.assert_array_equal(example, pixels[:5])
    model = BrightPictures().fit(example, ["dark"] * 4 + ["bright"])
    save_model(model, tmp_path / "model", example=example, predictions=model.predict(example), packages={})
    for pictures in (example, np.zeros((2, 9, 9, 1), dtype=np.uint8)):
        assert predict_saved(tmp_path / "model", pictures).tolist() == model.predict(pictures).tolist()


@pytest.fixture
def save_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Path, pd.DataFrame]]]:
    """Saves a classifier whose `predict` is this code of a module ``own_for_test``."""
    added = ("own_for_test", "parts_for_test")

    def save(head: str, predict: str) -> tuple[Path, pd.DataFrame]:
        body = f"class Mine(DummyClassifier):\n    def predict(self, X):\n        {predict}\n"
        (tmp_path / "own_for_test.py").write_text(f"from sklearn.dummy import DummyClassifier\n{head}\n\n\n{body}")
        monkeypatch.syspath_prepend(tmp_path)
        frame = pd.DataFrame({"x": [1.0, 2.0]})
        model = importlib.import_module("own_for_test").Mine().fit(frame, ["p", "p"])
        folder = tmp_path / "model"
        save_model(model, folder, example=frame, predictions=model.predict(frame), packages={}, modules=added[:1])
        return folder, frame

    yield save
    for name in added:
        sys.modules.pop(name, None)


def test_a_class_that_nobody_can_install_becomes_part_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save_own: Any
) -> None:
    (tmp_path / "parts_for_test.py").write_text("def last(y):\n    return y[-1:]\n")
    folder, frame = save_own("from parts_for_test import last", "return [*last(super().predict(X))] * len(X)")
    monkeypatch.undo()
    del sys.modules["own_for_test"], sys.modules["parts_for_test"]
    assert predict_saved(folder, frame).tolist() == ["p", "p"]


def test_what_cannot_be_written_out_is_asked_for_by_name(save_own: Any, caplog: pytest.LogCaptureFixture) -> None:
    head = "import threading\nLOCK = threading.Lock()"
    folder, frame = save_own(head, "return super().predict(X) if LOCK else None")
    assert "needs own_for_test on the path" in caplog.text
    assert predict_saved(folder, frame).tolist() == ["p", "p"]
    assert not cloudpickle.list_registry_pickle_by_value()


@pytest.mark.parametrize("name", ["sklearn", "json", "automl", "nowhere_at_all"])
def test_what_is_installed_is_nobodys_own(name: str) -> None:
    assert not is_own(name)


def test_requirements_name_versions_that_an_index_has(tmp_path: Path) -> None:
    model = BrightPictures().fit([[1]], ["dark"])
    frame = pd.DataFrame({"a": [1, 2]})
    save_model(model, tmp_path / "model", example=frame, predictions=np.array(["dark"] * 2), packages={"x": "2.1+cpu"})
    assert "x==2.1\n" in (tmp_path / "model" / "requirements.txt").read_text() + "\n"


class BrightPictures(ClassifierMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> BrightPictures:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        return np.where(np.asarray(X).mean(axis=(1, 2, 3)) > 40, "bright", "dark")


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (np.array(["a", "b"], dtype=object), np.array(["a", "b"]), True),
        (np.array([1, 0]), np.array([1, 1]), False),
        (np.array([0.1 + 0.2]), np.array([0.3]), True),
        (np.array([0.1]), np.array([0.2]), False),
        (np.array([1.0]), np.array([[1.0]]), False),
    ],
)
def test_predictions_are_the_same_up_to_rounding(ours: np.ndarray, theirs: np.ndarray, same: bool) -> None:
    assert same_predictions(ours, theirs) is same

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from automl.learning.data.example import write_example
from automl.learning.data.images.images import Images
from automl.registry.example import read_example
from automl.tracking.flavor import predict_saved, save_model


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


def test_pictures_go_in_as_one_array_of_any_size(tmp_path: Path) -> None:
    pixels = np.arange(7 * 4 * 3 * 1, dtype=np.uint8).reshape(7, 4, 3, 1)
    example = read_example(write_example(Images(pixels), tmp_path / "example"))
    np.testing.assert_array_equal(example, pixels[:5])
    model = BrightPictures().fit(example, ["dark"] * 4 + ["bright"])
    save_model(model, tmp_path / "model", example=example, predictions=model.predict(example), packages={})
    for pictures in (example, np.zeros((2, 9, 9, 1), dtype=np.uint8)):
        assert predict_saved(tmp_path / "model", pictures).tolist() == model.predict(pictures).tolist()


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

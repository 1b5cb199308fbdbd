from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from automl.engine.workspace.layout import ExperimentDirectory
from automl.tracking.options import TrackingOptions
from automl.tracking.records import flatten, read_trial


def test_nested_settings_become_dotted_names() -> None:
    value = {"limits": {"max_trials": 5}, "metric": ["f1", "accuracy"], "a": {"b": {"c": {"d": 1}}}, "none": None}
    assert flatten(value) == {
        "limits.max_trials": "5",
        "metric": '["f1", "accuracy"]',
        "a.b.c": '{"d": 1}',
        "none": "null",
    }


def test_names_and_texts_stay_within_what_mlflow_takes() -> None:
    pairs = flatten({"odd §(name)": "x" * 10_000, **{f"p{i}": i for i in range(1000)}})
    assert "odd __name_" in pairs
    assert max(map(len, pairs.values())) == 5000
    assert len(pairs) == 300


def test_a_trial_without_a_result_is_none(experiment: ExperimentDirectory) -> None:
    assert read_trial(experiment.trial(0)) is None


def test_a_long_series_is_thinned_and_keeps_its_end(end_trial: Callable[..., ExperimentDirectory]) -> None:
    experiment = end_trial(0)
    lines = [json.dumps({"name": "loss", "value": i, "step": i, "time": 1.0}) for i in range(12_345)]
    experiment.trial(0).metrics.write_text("\n".join(lines))
    record = read_trial(experiment.trial(0))
    assert record is not None
    loss = [point.step for point in record.points if point.name == "loss"]
    assert 900 <= len(loss) <= 1000
    assert loss[-1] == 12_344


def test_an_empty_uri_is_refused() -> None:
    with pytest.raises(ValueError, match="tracking URI is empty"):
        TrackingOptions.model_validate({"uri": " "})

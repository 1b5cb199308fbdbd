"""Classification where rows are pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.errors import ConfigError
from automl.learning.data.options import DataOptions
from automl.learning.data.table import Table
from automl.learning.metrics.registry import get_metric, metrics_of
from automl.learning.tasks.registry import get_task, task_names
from automl.learning.validation.options import ValidationOptions

IMAGES, TABLES = get_task("image_classification"), get_task("classification")


def pictures(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    return draw.integers(0, 256, (n, 8, 8, 1), dtype=np.uint8), np.arange(n) % 3


def table(n: int = 30, **roles: np.ndarray) -> Table:
    return IMAGES.load(pictures(n), DataOptions()).with_roles(roles)


def test_it_is_found_and_scored_as_classification() -> None:
    assert "image_classification" in task_names()
    assert IMAGES.scored_as == "classification"
    assert TABLES.scored_as == "classification"
    assert get_task("regression").scored_as == "regression"
    names = {metric.name for metric in metrics_of(IMAGES.scored_as, 3)}
    assert {"accuracy", "log_loss", "f1_macro"} <= names


@pytest.mark.parametrize("n_classes", [2, 10])
def test_the_default_metric_is_what_image_classifiers_are_compared_by(n_classes: int) -> None:
    assert IMAGES.default_metric(n_classes) == "accuracy"
    assert get_metric("accuracy", IMAGES.scored_as, n_classes).maximize


def test_classification_of_pictures_is_a_task_of_its_own(tmp_path: Path) -> None:
    X, y = pictures()
    for source in ((X, y), (X[..., 0], y), "mnist"):
        assert TABLES.of_data(source, DataOptions()) == "image_classification"
        assert IMAGES.of_data(source, DataOptions()) == "image_classification"
    for source in ((X.reshape(30, -1), y), "iris", str(tmp_path / "missing.csv")):
        assert TABLES.of_data(source, DataOptions()) == "classification"


def test_pictures_have_one_column_and_keep_their_labels() -> None:
    loaded = table()
    (column,) = loaded.columns
    assert (column.name, str(column.kind)) == ("image", "image")
    assert loaded.X.shape == (30, 8, 8, 1)
    target = IMAGES.prepare(loaded.y)
    assert target.classes is not None
    assert target.classes.tolist() == [0, 1, 2]


@pytest.mark.parametrize("given", [{"columns": {"image": "text"}}, {"drop": ["image"]}])
def test_columns_cannot_be_declared(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="pictures have no columns"):
        IMAGES.load(pictures(), DataOptions(), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(("rows", "strategy", "held_out"), [(30, "kfold", None), (600, "holdout", 120)])
def test_few_pictures_are_validated_in_folds_and_many_by_a_holdout(
    rows: int, strategy: str, held_out: int | None
) -> None:
    chosen = IMAGES.validation(ValidationOptions(), table(rows))
    assert chosen.strategy == strategy
    assert chosen.fraction is None if held_out is None else chosen.fraction == pytest.approx(held_out / rows)


def test_a_holdout_is_no_larger_than_it_has_to_be() -> None:
    X = np.zeros((60_000, 1, 1, 1), dtype=np.uint8)
    X[:, 0, 0, 0] = np.arange(60_000) % 251
    many = IMAGES.load((X, np.arange(60_000) % 10), DataOptions())
    assert IMAGES.validation(ValidationOptions(), many).fraction == pytest.approx(2_500 / 60_000)


@pytest.mark.parametrize("asked", [{"strategy": "kfold"}, {"folds": 3}, {"fraction": 0.5}, {"strategy": "holdout"}])
def test_what_the_user_says_about_validation_stays(asked: dict[str, object]) -> None:
    options = ValidationOptions.model_validate(asked)
    assert IMAGES.validation(options, table()) == options
    resolved = ValidationOptions.model_validate(options.model_dump())  # as experiment.yaml has it: every key is there
    assert IMAGES.validation(resolved, table()) == resolved


def test_groups_decide_before_the_number_of_pictures_does() -> None:
    options = ValidationOptions()
    assert IMAGES.validation(options, table(600, group=np.arange(600) // 10)) == options


def test_the_time_to_train_grows_with_the_pixels_that_a_net_sees() -> None:
    def seconds(n: int, side: int) -> float:
        X = np.random.default_rng(0).integers(0, 256, (n, side, side, 1), dtype=np.uint8)
        return IMAGES.core_seconds(IMAGES.load((X, np.arange(n) % 2), DataOptions()))

    assert seconds(40, 8) == pytest.approx(2 * seconds(20, 8)) == pytest.approx(seconds(40, 16) / 4)
    assert seconds(40, 8) > 0 and seconds(20, 100) == seconds(20, 200)

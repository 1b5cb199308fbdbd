"""Every entry of the space that is shipped for pictures is fitted with its defaults, in its own view."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.engine.space.load import load_space
from automl.learning.algorithms.estimators import make_learner
from automl.learning.data.images.load import load_images
from automl.learning.data.table import Table
from automl.learning.features.views import make_features

SPACE = load_space(None, task="image_classification")


@pytest.fixture(scope="module")
def table() -> Table:
    """Pictures of 12 x 12, whose class is a bright third."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    pixels = rng.integers(0, 100, (90, 12, 12), dtype=np.uint8)
    pixels += 100 * (np.arange(12) // 4 == y[:, None])[:, None, :].astype(np.uint8)
    return load_images((pixels, y))


@pytest.mark.parametrize("name", SPACE.algorithms)
def test_it_learns(table: Table, name: str) -> None:
    algorithm = SPACE.algorithms[name]
    for module in algorithm.needs:
        pytest.importorskip(module)
    features = make_features(algorithm.view, table.columns)
    X = features.fit_transform(table.X)
    quick: dict[str, Any] = {"epochs": 3, "device": "cpu"} if algorithm.package == "torch" else {}
    params = {**algorithm.complete({}), **quick}
    learner = make_learner(algorithm, params, task="classification", seed=0, threads=1, n_classes=3)
    learner.fit(X, table.y)
    predicted = learner.predict(X)
    assert predicted.shape == (90, 3) and np.isfinite(predicted).all()
    if algorithm.package != "torch":  # which has seen each picture three times
        assert (predicted.argmax(axis=1) == table.y).mean() > 0.8

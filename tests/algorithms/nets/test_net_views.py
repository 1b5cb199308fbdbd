"""The forms of a picture over which predictions are averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from automl.algorithms.nets.classifier import NetClassifier
from automl.algorithms.nets.conv import ConvNet
from automl.algorithms.nets.predicting import Views

BATCH = torch.randint(256, (5, 6, 8, 3), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("views", "count"), [(Views(), 1), (Views(flip=True), 2), (Views(shift=1), 3), (Views(True, 2), 6)]
)
def test_weights_sum_to_one(views: Views, count: int) -> None:
    seen = list(views.of(BATCH))
    assert len(views) == len(seen) == count
    assert sum(weight for weight, _ in seen) == pytest.approx(1.0)
    assert all(view.shape == BATCH.shape and view.dtype == torch.uint8 for _, view in seen)


def test_a_picture_moves_both_ways_and_is_mirrored() -> None:
    (_, upright), (_, mirrored), (_, up), (_, up_mirrored), (_, down), _ = Views(flip=True, shift=1).of(BATCH)
    assert torch.equal(upright, BATCH) and torch.equal(mirrored, BATCH.flip(2))
    assert torch.equal(up[:, :-1, :-1], BATCH[:, 1:, 1:]) and torch.equal(up_mirrored, up.flip(2))
    assert torch.equal(down[:, 1:, 1:], BATCH[:, :-1, :-1])


def classifier(**settings: Any) -> NetClassifier:
    return NetClassifier(ConvNet, {"width": 8}, **{"epochs": 1, "batch_size": 32, "device": "cpu", **settings})


@pytest.mark.parametrize(
    ("side", "translate", "shift"), [(12, 0.0, 0), (12, 0.1, 1), (12, 0.3, 1), (64, 0.1, 2), (64, 0.016, 1)]
)
def test_a_net_looks_at_moved_pictures_if_it_knows_them(pictures: Any, side: int, translate: float, shift: int) -> None:
    X, y = pictures(40, size=(side, side))
    assert classifier(translate=translate, flip=False).fit(X, y).views_ == Views(False, shift)


def test_where_there_is_no_time_it_does_not(pictures: Any) -> None:
    X, y = pictures(100)
    model = classifier(epochs=None, seconds=0.0, translate=0.1, flip=True).fit(X, y, valid=X)
    assert model.views_ == Views(flip=True)
    assert np.isfinite(model.predict_proba(X)).all()


def test_predictions_that_come_after_the_fit_have_their_time(pictures: Any, recorder: Any) -> None:
    X, y = pictures(400)
    settings = {"seconds_left": 3.0, "stretches": True}
    alone = classifier(epochs=None).fit(X, y, valid=X[:100], progress=recorder(**settings))
    tested = classifier(epochs=None).fit(X, y, valid=X[:100], progress=recorder(predictions=1_000.0, **settings))
    assert tested.seconds_ < alone.seconds_

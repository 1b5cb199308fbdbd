"""The forms of a picture over which predictions are averaged."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from automl.learning.algorithms.nets.classifier import NetClassifier
from automl.learning.algorithms.nets.conv import ConvNet
from automl.learning.algorithms.nets.device import choose_hardware
from automl.learning.algorithms.nets.net import make_net
from automl.learning.algorithms.nets.predicting import TestTimeAugmentation, seconds_to_predict

BATCH = torch.randint(256, (5, 6, 8, 3), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("views", "count"),
    [
        (TestTimeAugmentation(), 1),
        (TestTimeAugmentation(flip=True), 2),
        (TestTimeAugmentation(shift=1), 3),
        (TestTimeAugmentation(True, 2), 6),
    ],
)
def test_weights_sum_to_one(views: TestTimeAugmentation, count: int) -> None:
    seen = list(views.of(BATCH))
    assert len(views) == len(seen) == count
    assert sum(weight for weight, _ in seen) == pytest.approx(1.0)
    assert all(view.shape == BATCH.shape and view.dtype == torch.uint8 for _, view in seen)


def test_a_picture_moves_both_ways_and_is_mirrored() -> None:
    (_, upright), (_, mirrored), (_, up), (_, up_mirrored), (_, down), _ = TestTimeAugmentation(flip=True, shift=1).of(
        BATCH
    )
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
    assert classifier(translate=translate, flip=False).fit(X, y).views_ == TestTimeAugmentation(False, shift)


def test_where_there_is_no_time_it_does_not(pictures: Any) -> None:
    X, y = pictures(100)
    model = classifier(epochs=None, seconds=0.0, translate=0.1, flip=True).fit(X, y, valid=X)
    assert model.views_ == TestTimeAugmentation(flip=True)
    assert np.isfinite(model.predict_proba(X)).all()


def test_predictions_that_come_after_the_fit_have_their_time(pictures: Any, recorder: Any) -> None:
    X, y = pictures(400)
    settings = {"seconds_left": 3.0, "anytime": True}
    alone = classifier(epochs=None).fit(X, y, valid=X[:100], progress=recorder(**settings))
    tested = classifier(epochs=None).fit(X, y, valid=X[:100], progress=recorder(predictions=1_000.0, **settings))
    assert tested.seconds_ < alone.seconds_


def test_measuring_how_long_predictions_take_costs_no_more_than_it_may() -> None:
    net = make_net(Slow, {}, (6, 8, 3), n_classes=2)
    pixels = torch.zeros((256, 6, 8, 3), dtype=torch.uint8)
    hardware = choose_hardware("cpu", "float32")
    Slow.seen.clear()
    assert seconds_to_predict(net, pixels, hardware, most=0.05) >= 2.5
    assert sum(Slow.seen) <= 1 + 3 * 1, "the first picture has told it"


class Slow(torch.nn.Module):
    """Ten milliseconds a picture."""

    seen: ClassVar[list[int]] = []

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.scores = torch.nn.Linear(6 * 8 * 3, n_classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(pictures))
        time.sleep(0.01 * len(pictures))
        return self.scores(pictures.flatten(1))


def test_a_limit_that_a_training_does_not_fill_changes_nothing_about_it(pictures: Any, recorder: Any) -> None:
    X, y = pictures(100)
    limited = recorder(seconds_left=600.0, predictions=100.0)
    first = classifier(epochs=2, translate=0.1).fit(X, y, valid=X, progress=limited)
    second = classifier(epochs=2, translate=0.1).fit(X, y, valid=X, progress=recorder())
    assert not first.is_timed_ and first.views_ == second.views_
    assert np.array_equal(first.predict_proba(X), second.predict_proba(X))

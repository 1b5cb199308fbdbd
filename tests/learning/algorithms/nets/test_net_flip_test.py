"""Whether classes bear that their pictures are mirrored."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from automl.errors import SpaceError  # noqa: E402
from automl.learning.algorithms.nets.classifier import NetClassifier  # noqa: E402
from automl.learning.algorithms.nets.conv import ConvNet  # noqa: E402
from automl.learning.algorithms.nets.flip_test import may_be_mirrored  # noqa: E402


def pictures(n: int, *, sided: bool) -> tuple[np.ndarray, np.ndarray]:
    """A bright row, the upper or the lower; or a bright column, the left or the right."""
    generator = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = generator.integers(0, 100, (n, 12, 12, 1), dtype=np.uint8)
    for picture, side in zip(X, y, strict=True):
        place = 2 if side == 0 else 9
        bright = picture[:, place] if sided else picture[place]
        bright[:] = 250
    return X, y


@pytest.mark.parametrize("n", [60, 1_000])
def test_what_tells_left_from_right_may_not_be_mirrored(n: int) -> None:
    X, y = pictures(n, sided=True)
    assert not may_be_mirrored(torch.from_numpy(X), y, seed=0)


@pytest.mark.parametrize("n", [60, 1_000])
def test_what_tells_top_from_bottom_may(n: int) -> None:
    X, y = pictures(n, sided=False)
    assert may_be_mirrored(torch.from_numpy(X), y, seed=0)


def test_where_nothing_can_be_learned_from_few_pictures_they_may() -> None:
    X = np.random.default_rng(0).integers(0, 256, (400, 8, 8, 3), dtype=np.uint8)
    assert may_be_mirrored(torch.from_numpy(X), np.arange(400) % 2, seed=0)
    assert may_be_mirrored(torch.from_numpy(X[:2]), np.array([0, 1]), seed=0)


@pytest.mark.parametrize(("flip", "expected"), [("auto", False), (True, True), (False, False)])
def test_a_net_asks_the_data_unless_it_is_told(flip: object, expected: bool) -> None:
    X, y = pictures(200, sided=True)
    model = NetClassifier(ConvNet, {"width": 8}, flip=flip, epochs=1, device="cpu").fit(X, y)
    assert model.flip_ is expected


def test_a_word_that_says_neither() -> None:
    X, y = pictures(20, sided=True)
    with pytest.raises(SpaceError, match="flip is 'maybe', and has to be true, false or auto"):
        NetClassifier(ConvNet, flip="maybe").fit(X, y)

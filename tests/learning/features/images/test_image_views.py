"""Pictures to matrices."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from automl.errors import SpaceError
from automl.learning.data.images.images import Images
from automl.learning.data.kinds import Column, ColumnKind, ImageColumn
from automl.learning.features.images import base
from automl.learning.features.images.pooling import boxes, hats, pool
from automl.learning.features.views import check_view, make_features

MATRICES = ("numeric", "hog", "patches")


def column(images: Images) -> tuple[Column, ...]:
    _, height, width, channels = images.shape
    kind = ImageColumn("image", ColumnKind.IMAGE, 0, len(images), height=height, width=width, channels=channels)
    return (kind,)


def noise(n: int, height: int = 12, width: int = 12, channels: int = 1) -> Images:
    return Images(np.random.default_rng(0).integers(0, 256, (n, height, width, channels), dtype=np.uint8))


@pytest.mark.parametrize("view", MATRICES)
@pytest.mark.parametrize(
    "shape",
    [(12, 12, 1), (12, 12, 3), (5, 40, 1), (1, 1, 1), (2, 3, 3), (28, 28, 1), (70, 31, 3), (130, 97, 3)],
    ids=str,
)
def test_any_pictures_become_a_bounded_float32_matrix_without_gaps(view: str, shape: tuple[int, int, int]) -> None:
    images = noise(9, *shape)
    features = make_features(view, column(images))
    matrix = features.fit_transform(images)
    assert matrix.dtype == np.float32
    assert matrix.shape == (9, len(features.get_feature_names_out()))
    assert np.isfinite(matrix).all()
    assert 1 <= matrix.shape[1] <= 3_072  # 32 x 32 pixels in colour
    assert features.categorical_indices_ == []
    np.testing.assert_array_equal(features.transform(images), matrix)


@pytest.mark.parametrize("view", MATRICES)
@pytest.mark.parametrize("value", [0, 255])
def test_pictures_that_are_all_the_same_teach_nothing_and_break_nothing(view: str, value: int) -> None:
    images = Images(np.full((6, 12, 12, 3), value, dtype=np.uint8))
    assert np.allclose(make_features(view, column(images)).fit_transform(images), 0, atol=1e-3)


@pytest.mark.parametrize("view", MATRICES)
def test_a_picture_is_described_the_same_alone_and_among_many(view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images = noise(40)
    features = make_features(view, column(images)).fit(images)
    together = features.transform(images)
    monkeypatch.setattr(base, "_AT_ONCE", 1)  # one picture at a time
    np.testing.assert_allclose(features.transform(images), together, atol=1e-5)
    np.testing.assert_allclose(features.transform(images.take([7])), together[[7]], atol=1e-5)


@pytest.mark.parametrize("view", [*MATRICES, "pixels"])
def test_views_repeat_themselves_survive_a_pickle_and_clone(view: str) -> None:
    images, others = noise(30), noise(5)
    features = make_features(view, column(images)).fit(images)
    again = make_features(view, column(images)).fit(images)
    revived: Any = pickle.loads(pickle.dumps(features))
    for other in (again, revived):
        np.testing.assert_array_equal(other.transform(others), features.transform(others))
    assert not hasattr(clone(features), "categorical_indices_")


def test_flattened_pixels_are_on_one_scale() -> None:
    matrix = make_features("numeric", column(noise(50))).fit_transform(noise(50))
    assert abs(matrix.mean()) < 1e-3
    assert matrix.std() == pytest.approx(1, abs=1e-3)
    assert matrix.shape == (50, 144)


def test_hog_tells_directions_apart_whatever_the_brightness() -> None:
    upright, lying = np.zeros((2, 16, 16, 1), dtype=np.uint8)
    upright[:, 6:10] = 200
    lying[6:10] = 200
    faint = upright // 4 + 60  # the same edges, a quarter as strong, on another ground
    images = Images(np.stack([upright, lying, faint]))
    one, two, three = make_features("hog", column(images)).fit_transform(images)
    assert np.linalg.norm(one - two) > 3 * np.linalg.norm(one - three)


def test_hog_takes_the_steepest_channel() -> None:
    grey = np.zeros((1, 16, 16, 1), dtype=np.uint8)
    grey[:, 5:9, 3:12] = 200
    colour = np.concatenate([np.zeros_like(grey), grey, np.full_like(grey, 30)], axis=3)
    other = noise(1, 16, 16)
    views = [
        make_features("hog", column(images)).fit(images).transform(images)[0]
        for images in (
            Images(np.concatenate([grey, other.pixels])),
            Images(np.concatenate([colour, np.repeat(other.pixels, 3, axis=3)])),
        )
    ]
    np.testing.assert_allclose(views[0], views[1], atol=1e-4)


def test_patches_make_a_linear_model_see_what_pixels_hide() -> None:
    """Two textures of the same mean at every pixel: lines that run up or down, at a random place."""
    draw = np.random.default_rng(0)
    place, kind = draw.integers(0, 6, 200), draw.integers(0, 2, 200)
    y, x = np.mgrid[:18, :18]
    pictures = np.stack([(x + (2 * k - 1) * y + p) % 6 < 3 for p, k in zip(place, kind, strict=True)])
    images = Images((pictures[..., None] * 180).astype(np.uint8))
    scores = {}
    for view in ("numeric", "patches"):
        matrix = make_features(view, column(images)).fit_transform(images)
        target = np.where(kind == 1, 1.0, -1.0)
        train, valid = matrix[:100], matrix[100:]
        weights = np.linalg.solve(train @ train.T + 10 * np.eye(100), target[:100])
        scores[view] = float(np.mean(np.sign(valid @ train.T @ weights) == target[100:]))
    assert scores["patches"] == 1.0


def test_pixels_are_neither_copied_nor_changed() -> None:
    images = noise(4)
    features = make_features("pixels", column(images)).fit(images)
    assert features.transform(images) is images.pixels
    assert len(features.get_feature_names_out()) == 144


@pytest.mark.parametrize("windows", [boxes, hats])
@pytest.mark.parametrize(("length", "parts"), [(12, 4), (13, 4), (7, 7), (5, 1)])
def test_windows_give_means(windows: Any, length: int, parts: int) -> None:
    made = windows(length, parts)
    assert made.shape == (parts, length)
    np.testing.assert_allclose(made.sum(axis=1), 1, rtol=1e-6)
    assert (made >= 0).all()


def test_pooling_is_a_mean_over_blocks() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 6, 8, 3)).astype(np.float32)
    blocks = maps.reshape(2, 3, 2, 4, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(pool(maps, boxes(6, 3), boxes(8, 4)), blocks, atol=1e-6)


@pytest.mark.parametrize(
    ("view", "columns", "said"),
    [
        ("native", column(noise(1)), "'native' is for tables, and this is about pictures; choose one of 'numeric'"),
        ("hog", (Column("x", ColumnKind.NUMERIC, 0, 0),), "'hog' is for pictures, and this is about tables; choose"),
        ("pixel", column(noise(1)), "there is no view 'pixel'; did you mean 'pixels'?"),
    ],
)
def test_a_view_of_something_else_is_refused(view: str, columns: tuple[Column, ...], said: str) -> None:
    with pytest.raises(SpaceError, match=said.replace("?", r"\?")):
        make_features(view, columns)
    with pytest.raises(SpaceError):
        check_view(view, columns)

"""Arrays of every layout and scale."""

from __future__ import annotations

import numpy as np
import pytest

from automl.errors import DataError
from automl.learning.data.images.arrays import as_bytes, as_pixels, is_stack, white_of

N, H, W = 5, 8, 7


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((N, H, W, 3), (N, H, W, 3)),
        ((N, H, W, 1), (N, H, W, 1)),
        ((N, 3, H, W), (N, H, W, 3)),
        ((N, 1, H, W), (N, H, W, 1)),
        ((N, H, W), (N, H, W, 1)),
        ((N, H, W, 4), (N, H, W, 3)),
        ((H, W, 3), (1, H, W, 3)),
        ((1, H, W), (1, H, W, 1)),
        ((H, W), (1, H, W, 1)),
    ],
)
def test_layouts(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert as_pixels(np.zeros(shape, np.uint8)).shape == expected


def test_three_grey_pictures_or_one_with_its_colours_in_front() -> None:
    array = np.zeros((3, H, W), np.uint8)
    assert as_pixels(array, channels=1).shape == (3, H, W, 1)
    assert as_pixels(array, channels=3).shape == (1, H, W, 3)


def test_channels_in_front_are_moved_and_not_mixed() -> None:
    array = np.arange(3 * H * W, dtype=np.uint8).reshape(1, 3, H, W)
    assert np.array_equal(as_pixels(array)[0, :, :, 1], array[0, 1])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0.0, 0.5, 1.0], np.float32), [0, 128, 255]),
        (np.array([0.0, 127.6, 255.0]), [0, 128, 255]),
        (np.array([0, 16, 255], np.int64), [0, 16, 255]),
        (np.array([0, 257, 65535], np.uint16), [0, 1, 255]),
        (np.array([0, 200], np.uint16), [0, 200]),
        (np.array([False, True]), [0, 255]),
    ],
)
def test_scales(values: np.ndarray, expected: list[int]) -> None:
    assert as_bytes(values).tolist() == expected


def test_what_a_resampling_has_carried_over_the_edge_is_cut_off() -> None:
    values = np.array([-0.01, 0.0, 0.5, 1.02], np.float32)
    assert white_of(values) == 1
    assert as_bytes(values).tolist() == [0, 0, 128, 255]
    assert as_bytes(values, white=1).tolist() == [0, 0, 128, 255]


def test_numbers_on_no_scale_are_refused() -> None:
    with pytest.raises(DataError, match=r"0\.\.255 or 0\.\.1; these reach 1\.5, which is neither"):
        as_bytes(np.array([0.0, 1.5]))
    assert as_bytes(np.array([0.0, 1.5]), white=255).tolist() == [0, 2]  # a dark one among others
    with pytest.raises(DataError, match=r"were 0\.\.1 in training, and reach 200 here"):
        as_bytes(np.array([0.0, 200.0]), white=1)


def test_bytes_are_not_copied() -> None:
    array = np.zeros((N, H, W, 3), np.uint8)
    assert np.shares_memory(as_pixels(array), array)


def test_transparency_becomes_white() -> None:
    array = np.zeros((1, 1, 2, 4), np.uint8)
    array[0, 0, 1] = (10, 20, 30, 255)
    assert as_pixels(array)[0, 0].tolist() == [[255, 255, 255], [10, 20, 30]]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((N, H, W), -1.5), "reach from -1.5 to -1.5.*before a standardisation"),
        (np.full((N, H, W), 300), "reach from 300"),
        (np.full((N, H, W), np.nan), "NaN or infinite"),
        (np.full((N, H, W), "x"), "Pixels are numbers"),
        (np.zeros((N, H, W, 5)), r"channels 1, 3 or 4; this one has \(5, 8, 7, 5\)"),
        (np.zeros((2, N, H, W, 3)), "this one has"),
        (np.zeros((0, H, W, 3)), "holds no picture"),
    ],
)
def test_what_holds_no_pixels_is_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_pixels(array)


def test_stacks_are_arrays_of_three_or_four_dimensions() -> None:
    assert is_stack(np.zeros((N, H, W))) and is_stack(np.zeros((N, 3, H, W)))
    assert not is_stack(np.zeros((N, H))) and not is_stack([[[0]]])

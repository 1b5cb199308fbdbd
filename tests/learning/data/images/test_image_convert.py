"""Raw pictures as those that a model was trained on."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from automl.errors import DataError
from automl.learning.data.images.convert import as_images
from automl.learning.data.images.images import Images
from automl.learning.data.kinds import ColumnKind, ImageColumn
from automl.learning.data.rows import as_rows

Maker = Callable[..., bytes]


def column(height: int = 4, width: int = 6, channels: int = 3) -> ImageColumn:
    return ImageColumn("image", ColumnKind.IMAGE, missing=0, unique=9, height=height, width=width, channels=channels)


def one_red(images: Images) -> bool:
    return images.shape == (1, 4, 6, 3) and (images.pixels == (255, 0, 0)).all()


def test_one_picture_of_any_kind(tmp_path: Path, picture: Maker) -> None:
    content = picture("red", (30, 20))
    path = tmp_path / "red.png"
    path.write_bytes(content)
    image = Image.open(io.BytesIO(content))
    series = pd.Series([content], name="image")
    for one in (path, str(path), content, image, np.asarray(image), {"bytes": content, "path": None}):
        assert one_red(as_images(one, column())), type(one)
        assert one_red(as_images([one], column())), type(one)
    for one in (series, series.to_frame(), pd.DataFrame({"photo": [str(path)]}), (each for each in [path])):
        assert one_red(as_images(one, column())), type(one)


def test_several_pictures_keep_their_order(picture: Maker) -> None:
    colours = ["red", "lime", "blue"] * 200  # more than are decoded at once
    images = as_images([picture(colour) for colour in colours], column())
    assert images.pixels[:, 0, 0].argmax(axis=1).tolist() == [0, 1, 2] * 200


def test_arrays_of_every_layout_and_scale_are_the_same_pictures() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
    forms = (pixels, pixels.transpose(0, 3, 1, 2), pixels / 255.0, pixels.astype(float), Images(pixels), list(pixels))
    for form in forms:
        assert np.array_equal(as_images(form, column()).pixels, pixels)


def test_pictures_that_fit_are_not_copied() -> None:
    pixels = np.zeros((5, 4, 6, 3), np.uint8)
    assert np.shares_memory(as_images(pixels, column()).pixels, pixels)


def test_size_and_colours_are_those_of_training() -> None:
    grey = np.full((2, 28, 28), 90, np.uint8)
    assert as_images(grey, column()).shape == (2, 4, 6, 3)
    colours = np.full((2, 28, 28, 3), 90, np.uint8)
    assert (as_images(colours, column(channels=1)).pixels == 90).all()
    narrow = Images(np.full((2, 9, 3, 1), 7, np.uint8))  # three wide: no colours
    assert (as_images(narrow, column(channels=1)).pixels == 7).all()


def test_a_path_and_its_array_give_the_same(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert np.array_equal(as_images(tmp_path / "noise.png", column()).pixels, as_images(noise, column()).pixels)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["nowhere.png"], "nowhere.png cannot be read: there is no such file"),
        ([b"no picture"], "picture 0 cannot be read: no picture of a known format"),
        ([3], "position 0 is int, not a picture"),
        (3, "int is not a picture"),
        (pd.DataFrame({"a": [1]}), "no column of pictures"),
        ([None], "picture 0 cannot be read: there is none"),
    ],
)
def test_what_is_no_picture_is_named(X: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_images(X, column())


def test_rows_of_a_table_of_images_are_pictures(picture: Maker) -> None:
    assert one_red(as_rows([picture("red")], [column()]))

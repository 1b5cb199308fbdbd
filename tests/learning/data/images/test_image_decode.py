"""One picture of any kind as pixels."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.deadline import Deadline
from automl.errors import DataError
from automl.learning.data.images.decode import PictureError, decode, look
from automl.learning.data.images.decoded import decode_all, skip_limit
from automl.learning.data.images.encoded import EncodedPictures, Picture
from automl.learning.data.images.sizes import require_room
from automl.learning.data.reading.context import Reading

GREY, RGB = (4, 4, 1), (4, 4, 3)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def colour_of(content: object, shape: tuple[int, int, int] = RGB) -> list[int]:
    """The colour in the middle."""
    return decode(Picture("p", content), shape)[2, 2].tolist()


@pytest.mark.parametrize("form", ["PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_lossless_formats_keep_a_colour(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    assert colour_of(saved(Image.new("RGB", (4, 4), (255, 0, 0)), form, **options)) == [255, 0, 0]


@pytest.mark.parametrize(
    ("image", "form", "expected"),
    [
        (Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG", [255, 0, 0]),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG", [255, 255, 255]),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 255)), "PNG", [0, 0, 0]),
        (Image.new("LA", (4, 4), (0, 0)), "PNG", [255, 255, 255]),
        (Image.new("L", (4, 4), 77), "PNG", [77, 77, 77]),
        (Image.new("1", (4, 4), 1), "PNG", [255, 255, 255]),
        (Image.new("RGB", (4, 4), (0, 128, 255)).quantize(4), "PNG", [0, 128, 255]),
        (Image.fromarray(np.full((4, 4), 257 * 90, np.uint16)), "PNG", [90, 90, 90]),
        (Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF", [128, 128, 128]),
    ],
    ids=["CMYK", "transparent", "opaque", "transparent grey", "grey", "one bit", "palette", "16 bits", "floats"],
)
def test_every_mode_becomes_colours(image: Image.Image, form: str, expected: list[int]) -> None:
    assert np.abs(np.subtract(colour_of(saved(image, form)), expected)).max() <= 2  # JPEG is not exact


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([10, 20, 30] * 256)
    assert colour_of(saved(image, "PNG", transparency=0)) == [255, 255, 255]


def test_colours_become_grey() -> None:
    assert decode(Picture("p", saved(Image.new("RGB", (4, 4), (255, 0, 0)), "PNG")), GREY)[0, 0].tolist() == [76]


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("blue", "red")]
    assert colour_of(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])) == [0, 0, 255]


def test_a_photo_is_turned_as_its_exif_says() -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8] = 255  # white on the left: on top when it is turned clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved(Image.fromarray(pixels), "JPEG", exif=exif, quality=95)
    assert look(Picture("p", content)) == (16, 8, 3)
    turned = decode(Picture("p", content), (16, 8, 3))
    assert turned[2].mean() > 240 and turned[13].mean() < 15


def test_a_picture_is_stretched_to_the_size_smoothly() -> None:
    checkered = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = decode(Picture("p", saved(Image.fromarray(checkered), "PNG")), (4, 8, 1))
    assert small.shape == (4, 8, 1)
    assert abs(small.mean() - 127.5) < 3  # every 16 x 8 of it has as much black as white


def test_a_large_jpeg_looks_the_same_as_the_exact_way(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 640).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(ramp[:, None], (640, 480)).copy())
    content = saved(image, "JPEG", quality=95)
    exact = np.asarray(Image.open(io.BytesIO(content)).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.abs(decode(Picture("p", content), (32, 32, 1))[..., 0].astype(int) - exact).max() <= 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is no picture", "no picture of a known format"),
        (b"", "no picture of a known format"),
        (None, "there is none"),
        (Path("nowhere/cat.png"), "no such file"),
        (Path(), "a folder"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n", "no picture of a known format"),
    ],
    ids=["text", "empty", "missing", "absent", "folder", "PostScript, which runs a program"],
)
def test_what_is_no_picture_is_refused(content: object, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        decode(Picture("p", content), RGB)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_picture_that_is_cut_off_is_refused(form: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    content = saved(Image.fromarray(noise), form)
    with pytest.raises(PictureError):
        decode(Picture("p", content[: int(share * len(content))]), RGB)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "PPM", "JPEG2000"])
def test_a_picture_with_wrong_bytes_is_read_or_refused(form: str) -> None:
    rng = np.random.default_rng(0)
    content = np.frombuffer(saved(Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)), form), np.uint8)
    for _ in range(100):
        wrong = content.copy()
        wrong[rng.integers(0, min(300, len(wrong)), 4)] = rng.integers(0, 256, 4)
        with contextlib.suppress(PictureError):
            assert decode(Picture("p", wrong.tobytes()), RGB).shape == RGB


def test_a_decompression_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, picture: Callable[..., bytes]) -> None:
    content = picture(size=(60, 60))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # 60 x 60 is more than twice of it
    with pytest.raises(PictureError, match="more than 1,000 pixels, too many"):
        decode(Picture("p", content), RGB)


def test_a_huge_picture_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch, picture: Callable[..., bytes]
) -> None:
    content = picture()
    header = b"IHDR" + struct.pack(">II", 30_000, 30_000) + content[24:29]  # width and height of a PNG
    content = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    with pytest.raises(PictureError, match="too many to be decoded safely"):
        look(Picture("p", content))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # as some library may have done
    with pytest.raises(PictureError, match="more than 16,000,000 pixels"):
        look(Picture("p", content))


def test_what_may_pass_is_told_from_damage(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    for content, passing in ((tmp_path / "missing.png", True), (picture()[:40], False), (b"text", False)):
        with pytest.raises(PictureError) as found:
            decode(Picture("p", content), RGB)
        assert found.value.passing is passing


def test_a_picture_that_came_open_is_left_as_it_is(picture: Callable[..., bytes]) -> None:
    image = Image.open(io.BytesIO(picture("blue", (300, 300), "JPEG")))
    assert colour_of(image)[2] > 250
    assert image.size == (300, 300)


@pytest.mark.parametrize(("count", "most"), [(5, 1), (199, 1), (350, 3), (50_000, 100)])
def test_a_hundredth_may_be_damaged_and_never_more_than_a_hundred(count: int, most: int) -> None:
    assert skip_limit(count) == most


def test_pictures_whose_decoding_would_outlast_the_time_budget_are_not_decoded() -> None:
    pictures = EncodedPictures([Picture(f"picture {i}", np.zeros((4, 4), np.uint8)) for i in range(300)])  # two blocks
    with pytest.raises(DataError, match=r"Reading the pictures up to picture 0 has taken .*limits\.time_budget"):
        decode_all(pictures, GREY, Reading(Deadline.after(0.0)))
    assert len(decode_all(pictures, GREY, Reading(Deadline.after(600.0))).images) == 300


def test_more_pixels_than_the_memory_holds_are_refused() -> None:
    with pytest.raises(DataError, match=r"the pixels take .* GB, and this machine has .*smaller data\.image_size"):
        require_room(2**60)

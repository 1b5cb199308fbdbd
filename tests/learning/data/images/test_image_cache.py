"""EncodedPictures are decoded once, and mapped into memory from the cache."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from automl.learning.data.images import cache as cache_module
from automl.learning.data.images.cache import DecodedWriter, find_decoded
from automl.learning.data.images.decoded import decode_all
from automl.learning.data.images.encoded import EncodedPictures, Picture
from automl.learning.data.images.images import Images
from automl.learning.data.images.load import load_images

SHAPE = (8, 8, 3)


def files(folder: Path) -> list[str]:
    """Endings of what was decoded into a cache; MLflow's empty database may be there too."""
    return sorted(path.suffix for path in folder.rglob("*") if path.is_file() and path.suffix != ".db")


def is_mapped(pixels: np.ndarray) -> bool:
    base: object = pixels
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


@pytest.fixture
def pictures(class_folders: Callable[..., Path]) -> EncodedPictures:
    root = class_folders({"a": 300, "b": 300})  # more than are decoded at once
    return EncodedPictures([Picture(str(path), path) for path in sorted(root.glob("*/*.png"))])


def test_decoding_is_done_once(pictures: EncodedPictures, cache: Path) -> None:
    first = decode_all(pictures, SHAPE)
    assert files(cache) == [".json", ".npy"]
    written = next(cache.rglob("*.npy")).stat().st_ino
    again = decode_all(pictures, SHAPE)
    assert next(cache.rglob("*.npy")).stat().st_ino == written
    assert np.array_equal(first.images.pixels, again.images.pixels)
    assert is_mapped(again.images.pixels) and not again.images.pixels.flags.writeable


def test_a_changed_file_or_another_size_is_decoded_anew(pictures: EncodedPictures, cache: Path) -> None:
    decode_all(pictures, SHAPE)
    assert decode_all(pictures, (4, 4, 3)).images.shape == (600, 4, 4, 3)
    path = pictures.pictures[0].content
    shutil.copy(pictures.pictures[-1].content, path)
    os.utime(path, ns=(1, 1))
    assert decode_all(pictures, SHAPE).images.pixels[0, 0, 0].tolist() == [60, 299 % 256, 200]
    assert len(list(cache.rglob("*.npy"))) == 3


def test_a_damaged_cache_is_replaced(pictures: EncodedPictures, cache: Path) -> None:
    expected = decode_all(pictures, SHAPE).images.pixels.copy()
    for damage in (
        lambda path: path.write_bytes(path.read_bytes()[:500]),
        lambda path: path.with_suffix(".json").unlink(),
    ):
        damage(next(cache.rglob("*.npy")))
        assert np.array_equal(decode_all(pictures, SHAPE).images.pixels, expected)
        assert files(cache) == [".json", ".npy"]


def test_what_is_written_beside_the_pixels_has_to_be_about_them(pictures: EncodedPictures, cache: Path) -> None:
    expected = decode_all(pictures, SHAPE).images.pixels.copy()
    facts = next(cache.rglob("*.json"))
    facts.write_text(facts.read_text().replace('"count": 600', '"count": 599'))
    assert find_decoded(facts.stem) is None
    assert np.array_equal(decode_all(pictures, SHAPE).images.pixels, expected)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_picture_that_could_not_be_read_for_now_is_tried_again(pictures: EncodedPictures, cache: Path) -> None:
    path = pictures.pictures[0].content
    path.chmod(0)
    (skipped,) = decode_all(pictures, SHAPE).skipped
    assert "permission" in skipped.reason and files(cache) == []
    path.chmod(0o644)
    assert decode_all(pictures, SHAPE).skipped == ()


def test_what_is_not_to_be_kept_is_mapped_and_gone(cache: Path) -> None:
    writer = DecodedWriter("key", 9, SHAPE)
    writer.add(np.ones((5, *SHAPE), np.uint8))
    pixels = writer.close({"skipped": []}, keep=False)
    assert pixels.shape == (5, *SHAPE) and pixels.all() and is_mapped(pixels)
    assert files(cache) == [] and find_decoded("key") is None


def test_without_a_cache_pictures_stay_in_memory(
    pictures: EncodedPictures, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = decode_all(pictures, SHAPE).images.pixels.copy()
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path / "file"))
    found = decode_all(pictures, SHAPE).images.pixels
    assert np.array_equal(found, expected) and not is_mapped(found)


def test_a_disk_that_fills_up_on_the_way(pictures: EncodedPictures, cache: Path) -> None:
    """A limit on the size of files fails a write as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, hard))  # 600 pictures need 115,200
    try:
        found = decode_all(pictures, SHAPE).images.pixels
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert files(cache) == []
    assert np.array_equal(found, decode_all(pictures, SHAPE).images.pixels)


def test_a_killed_writer_leaves_nothing_that_is_read(cache: Path) -> None:
    code = (
        "import os, signal, numpy as np\n"
        "from automl.learning.data.images.cache import DecodedWriter\n"
        "writer = DecodedWriter('key', 9, (8, 8, 3))\n"
        "writer.add(np.zeros((4, 8, 8, 3), np.uint8))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    (left,) = cache.rglob("*.tmp")
    assert find_decoded("key") is None
    os.utime(left, (1, 1))
    writer = DecodedWriter("key", 9, SHAPE)  # tidies up
    writer.add(np.ones((5, *SHAPE), np.uint8))
    assert not left.exists() or left.stat().st_mtime > 1
    assert writer.close({"skipped": []}).shape == (5, *SHAPE)
    found = find_decoded("key")
    assert found is not None and found[0].shape == (5, *SHAPE) and found[1]["skipped"] == []


def test_the_cache_is_bounded(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MOST_BYTES", 3 * 192 * 10 + 1000)
    for number, key in enumerate("abcd"):
        if number == 3:
            assert find_decoded("a") is not None  # used: b is the oldest now
        writer = DecodedWriter(key, 10, SHAPE)
        writer.add(np.zeros((10, *SHAPE), np.uint8))
        path = cache / "decoded" / f"{key}.npy"
        writer.close()
        os.utime(path, (number + 1, number + 1))
    assert sorted(path.stem for path in cache.rglob("*.npy")) == ["a", "c", "d"]
    assert sorted(path.stem for path in cache.rglob("*.json")) == ["a", "c", "d"]


def test_a_data_directory_is_never_written_to(class_folders: Callable[..., Path]) -> None:
    root = class_folders({"a": 5, "b": 5})
    before = sorted(path for path in root.rglob("*"))
    assert isinstance(load_images(root).X, Images)
    assert sorted(path for path in root.rglob("*")) == before

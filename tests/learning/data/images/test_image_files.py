"""MNIST's idx files and CIFAR's batches, where a user has them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.errors import DataError
from automl.learning.data.images.archives import unpack, unpacked
from automl.learning.data.images.formats import idx
from automl.learning.data.images.formats.cifar import CIFAR10, CIFAR100, Batches, read_batches
from automl.learning.data.images.images import Images
from automl.learning.data.images.load import load_images
from automl.learning.data.images.pickles import load_plain
from automl.learning.data.images.source import Wanted
from automl.learning.data.options import DataOptions

Idx = Callable[..., Path]


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files(idx_folder: Idx, packed: bool) -> None:
    table = load_images(idx_folder(packed=packed))
    assert isinstance(table.X, Images)
    assert table.X.shape == (20, 6, 5, 1) and table.y.tolist() == [0, 1, 2, 3] * 5
    assert table.X.pixels.reshape(-1)[:300].tolist() == [*range(256), *range(44)]
    assert table.test is not None and table.test.n_rows == 8


def test_idx_files_are_known_by_their_content_however_they_are_packed(idx_folder: Idx) -> None:
    folder = idx_folder()
    path = folder / "train-images-idx3-ubyte.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content, compresslevel=1, mtime=7))
    known = {"train-images-idx3-ubyte": hashlib.sha256(content).hexdigest()}
    assert len(idx.read(folder, Wanted(contents=known)).train) == 20
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged, or of another dataset"):
        idx.read(folder, Wanted(contents={"train-images-idx3-ubyte": "0" * 64}))
    path.rename(folder / "train-images.idx3-ubyte.gz")
    with pytest.raises(DataError, match=r"train-images\.idx3-ubyte\.gz is damaged, or of another dataset"):
        idx.read(folder, Wanted(contents={"train-images-idx3-ubyte": "0" * 64}))


def test_made_digits_are_not_taken_for_mnist(idx_folder: Idx, tmp_path: Path) -> None:
    folder = idx_folder()
    folder.rename(tmp_path / "mnist")
    with pytest.raises(DataError, match="of another dataset: its content has another hash"):
        load_images("mnist", DataOptions(directory=str(tmp_path)))


def test_idx_files_that_cannot_be_used(idx_folder: Idx) -> None:
    folder = idx_folder()
    path = folder / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged or cut off.*Download it again"):
        load_images(folder)
    path.write_bytes(gzip.compress(gzip.decompress(whole)[:-1]))
    with pytest.raises(DataError, match="cut off: it announces 600 values and holds 599"):
        load_images(folder)
    path.write_bytes(gzip.compress(b"<html>not found</html>"))
    with pytest.raises(DataError, match="is not an idx file of 3 dimensions"):
        load_images(folder)
    path.unlink()
    with pytest.raises(DataError, match="lacks the images of its train part"):
        load_images(folder)


def test_a_file_that_holds_more_than_it_announces_is_refused(idx_folder: Idx) -> None:
    path = idx_folder() / "train-images-idx3-ubyte.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content + b"\0" * 1_000_000))
    with pytest.raises(DataError, match="holds more than the 600 values that it announces"):
        load_images(path.parent)
    path.write_bytes(gzip.compress(content[:4] + b"\xff" * 12 + content[16:]))
    with pytest.raises(DataError, match="is cut off: it announces"):
        load_images(path.parent)


def test_several_datasets_in_one_folder_are_refused(idx_folder: Idx) -> None:
    folder = idx_folder()
    for path in list(folder.iterdir()):
        path.rename(folder / f"emnist-letters-{path.name.replace('t10k', 'test')}")
    assert load_images(folder).n_rows == 20
    (folder / "emnist-letters-train-images-idx3-ubyte.gz").rename(folder / "emnist-mnist-train-images-idx3-ubyte.gz")
    with pytest.raises(DataError, match="several datasets, emnist-letters, emnist-mnist"):
        load_images(folder)


def test_labels_have_to_match_the_pictures(idx_folder: Idx) -> None:
    with pytest.raises(DataError, match=r"holds 20 pictures and train-labels-idx1-ubyte\.gz 7 labels"):
        load_images(idx_folder(labels=7))


def write_batches(folder: Path, rows: int = 6) -> Batches:
    """Batches in the form of CIFAR-10's, with made pictures, and their hashes."""
    folder.mkdir(parents=True)
    hashes = {}
    for number, name in enumerate((*CIFAR10.train, *CIFAR10.test)):
        pixels = np.random.default_rng(number).integers(0, 256, (rows, 3072), np.uint8)
        content = pickle.dumps({b"data": pixels, b"labels": [i % 3 for i in range(rows)]}, protocol=2)
        (folder / name).write_bytes(content)
        hashes[name] = hashlib.md5(content).hexdigest()
    train, test = ({name: hashes[name] for name in part} for part in (CIFAR10.train, CIFAR10.test))
    return replace(CIFAR10, train=train, test=test)


def test_batches(tmp_path: Path) -> None:
    batches = write_batches(tmp_path / "made")
    source = read_batches(tmp_path / "made", batches, name="made")
    assert isinstance(source.train.pictures, Images) and source.test is not None
    assert source.train.pictures.shape == (30, 32, 32, 3) and len(source.test) == 6
    assert source.train.labels.tolist() == [0, 1, 2] * 10
    first = np.random.default_rng(0).integers(0, 256, (6, 3072), np.uint8)[0]
    assert source.train.pictures.pixels[0, 0, 1].tolist() == first[[1, 1025, 2049]].tolist()


def test_the_fine_labels_are_those_of_a_hundred_classes(tmp_path: Path) -> None:
    hashes = {}
    (tmp_path / CIFAR100.folder).mkdir()
    for name in ("train", "test"):
        labels = {b"fine_labels": list(range(90, 96)), b"coarse_labels": [0] * 6}
        content = pickle.dumps({b"data": np.zeros((6, 3072), np.uint8), **labels}, protocol=2)
        (tmp_path / CIFAR100.folder / name).write_bytes(content)
        hashes[name] = hashlib.md5(content).hexdigest()
    made = replace(CIFAR100, train={"train": hashes["train"]}, test={"test": hashes["test"]})
    source = read_batches(tmp_path / CIFAR100.folder, made, name="made")
    assert source.train.labels.tolist() == list(range(90, 96))


def test_batches_with_another_hash_are_not_read(tmp_path: Path) -> None:
    write_batches(tmp_path / CIFAR10.folder)
    with pytest.raises(DataError, match="data_batch_1 is not the published file: its hash differs, so it is not read"):
        load_images(tmp_path)
    (tmp_path / CIFAR10.folder / "data_batch_3").unlink()
    (tmp_path / CIFAR10.folder / "data_batch_1").unlink()
    with pytest.raises(DataError, match=r"Cannot read .*data_batch_1: No such file"):
        load_images(tmp_path)


class Evil:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_run_code_does_not(tmp_path: Path, protocol: int) -> None:
    batches = write_batches(tmp_path / "made")
    evil = pickle.dumps({b"data": Evil(tmp_path / "ran"), b"labels": []}, protocol=protocol)
    (tmp_path / "made" / "data_batch_1").write_bytes(evil)
    known = replace(batches, train={**batches.train, "data_batch_1": hashlib.md5(evil).hexdigest()})
    with pytest.raises(DataError, match=r"data_batch_1 is refused: .* names (posix|nt)\.mkdir"):
        read_batches(tmp_path / "made", known, name="made")
    assert not (tmp_path / "ran").exists()
    pickle.loads(evil)
    assert (tmp_path / "ran").exists()  # it would have


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cos\nsystem\n(S'true'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy\nndarray.tofile\n.",
        b"\x80\x04not a pickle",
        b"(lp0\nI1\na",
    ],
)
def test_pickles_of_anything_but_arrays_are_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        load_plain(content, "a batch")


def test_plain_pickles_are_read() -> None:
    for protocol in (2, 3, 4):
        value = {"labels": [1, 2], "data": np.arange(6, dtype=np.uint8).reshape(2, 3), "name": "x"}
        read = load_plain(pickle.dumps(value, protocol=protocol), "a batch")
        assert read["labels"] == [1, 2] and np.array_equal(read["data"], value["data"])


def test_a_batch_of_something_else_is_refused(tmp_path: Path) -> None:
    batches = write_batches(tmp_path / "made")
    for value in ({b"data": np.zeros((6, 5), np.uint8), b"labels": [0] * 6}, {b"data": 1}, [1]):
        content = pickle.dumps(value, protocol=2)
        (tmp_path / "made" / "test_batch").write_bytes(content)
        known = replace(batches, test={"test_batch": hashlib.md5(content).hexdigest()})
        with pytest.raises(DataError, match="holds no pictures of 32 x 32 with as many labels"):
            read_batches(tmp_path / "made", known, name="made")


def packed(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            content = b"x" * 10 if member.isreg() else b""
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "bad",
    [
        member("../outside"),
        member("a/../../outside"),
        member("link", tarfile.SYMTYPE, "../../outside"),
        member("link", tarfile.SYMTYPE, "/etc"),
        member("device", tarfile.CHRTYPE),
    ],
    ids=lambda info: f"{info.name} {info.linkname}",
)
def test_an_archive_with_a_path_outside_its_folder_is_refused(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    archive = packed(tmp_path / "bad.tar.gz", member("good"), bad)
    with pytest.raises(DataError, match=r"bad\.tar\.gz is refused, and nothing of it is used"):
        unpack(archive, tmp_path / "inside" / "deep")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bad.tar.gz", "inside"]


def test_an_archive_is_unpacked_once(tmp_path: Path, cache: Path) -> None:
    archive = packed(tmp_path / "good.tar.gz", member("a/b"))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    folder = unpacked(archive, digest)
    assert (folder / "a" / "b").read_bytes() == b"x" * 10
    assert folder.is_relative_to(cache)
    archive.unlink()
    assert unpacked(archive, digest) == folder


def test_an_archive_that_was_downloaded_half_is_refused(tmp_path: Path, cache: Path) -> None:
    archive = packed(tmp_path / "good.tar.gz", member("a/b"))
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"good\.tar\.gz is cut off, damaged, or another archive"):
        unpacked(archive, hashlib.sha256(content).hexdigest())
    with pytest.raises(DataError, match=r"good\.tar\.gz is damaged or cut off"):
        unpack(archive, cache / "x")
    assert not [path for path in cache.glob("*") if path.suffix != ".db"]


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.learning.data.reading.bounds._PLAIN", 10_000)
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("zeros")
        info.size = 100_000
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    with pytest.raises(DataError, match=r"bomb\.tar\.gz unpacks to more than"):
        unpack(tmp_path / "bomb.tar.gz", tmp_path / "out")


def test_the_published_archive_is_looked_for_beside_its_folder(tmp_path: Path) -> None:
    packed(tmp_path / CIFAR10.archive, member("cifar-10-batches-py/data_batch_1"))
    with pytest.raises(DataError, match="its hash is not the published one"):
        load_images(tmp_path)

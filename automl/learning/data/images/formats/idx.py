"""The idx files of MNIST and of the datasets made after it, compressed or not.

The format: http://yann.lecun.com/exdb/mnist/ (two zero bytes, the type, the number of dimensions, the dimensions as
big-endian 32-bit integers, the values).
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from pathlib import Path

import numpy as np

from automl.errors import DataError
from automl.learning.data.images.images import Images
from automl.learning.data.images.parts import part_of, train_and_test
from automl.learning.data.images.source import ImageSource, Labelled, Wanted
from automl.learning.data.names import some
from automl.learning.data.reading.stream import DAMAGES, read_up_to, unpack
from automl.regular import open_regular

__all__ = ["matches", "read"]

_NAME = re.compile(r"(?P<part>.*(?:train|t10k|test))-(?P<kind>images|labels)[-.]idx[13]-ubyte(?:\.gz)?", re.IGNORECASE)
_BYTES = 0x08
"""idx's code of unsigned bytes, the only type in use here."""


def matches(folder: Path) -> bool:
    return any(_NAME.fullmatch(name) for name in os.listdir(folder))


def read(folder: Path, wanted: Wanted) -> ImageSource:
    """The dataset in `folder`: pictures and labels, to train on and to test with.

    Raises:
        DataError: a file is missing, damaged, or not the known one.
    """
    found: dict[str, dict[str, Path]] = {}
    datasets: set[str] = set()
    for path in sorted(folder.iterdir(), reverse=True):  # the plain file replaces the compressed one
        if named := _NAME.fullmatch(path.name):
            *words, last = re.split(r"[-_.]", named["part"])
            datasets.add("-".join(words))
            found.setdefault(str(part_of(last)), {})[named["kind"].lower()] = path
    if len(datasets) > 1:
        raise DataError(f"{folder} holds several datasets, {some(sorted(datasets))}: put each into its own folder.")
    parts = {part: _labelled(folder, part, files, wanted) for part, files in found.items()}
    train, test, guardrails = train_and_test(parts, str(folder))
    return ImageSource(folder.name, train, test, guardrails=guardrails)


def _labelled(folder: Path, part: str, files: dict[str, Path], wanted: Wanted) -> Labelled:
    import pandas as pd

    missing = {"images", "labels"} - set(files)
    if missing:
        raise DataError(f"{folder} lacks the {missing.pop()} of its {part} part, beside {files.popitem()[1].name}.")
    pictures, labels = _values(files["images"], 3, wanted), _values(files["labels"], 1, wanted)
    if len(pictures) != len(labels):
        raise DataError(
            f"{files['images']} holds {len(pictures):,} pictures and {files['labels'].name} {len(labels):,} labels; "
            "they must be equally many."
        )
    return Labelled(Images(pictures[..., None]), pd.Series(labels.astype(np.int64)))


def _values(path: Path, dimensions: int, wanted: Wanted) -> np.ndarray:
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            packing = ".gz" if path.suffix == ".gz" else ""
            stream = unpack(file, packing, size, wanted.reading, str(path))
            head = stream.read(4 + 4 * dimensions) or b""
            shape = _shape(path, head, dimensions)
            announced = math.prod(shape)
            held = read_up_to(stream, announced)  # and no more: a small compressed file may unpack to any size
    except OSError as error:
        if error.errno is not None:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        raise DataError(f"{path} is damaged or cut off: {error}. Download it again.") from error
    except DAMAGES as error:
        raise DataError(f"{path} is damaged or cut off: {error}. Download it again.") from error
    if held is None:
        raise DataError(f"{path} is damaged: it holds more than the {announced:,} values that it announces.")
    body = held.getbuffer()
    if len(body) < announced:
        raise DataError(f"{path} is cut off: it announces {announced:,} values and holds {len(body):,}.")
    known = wanted.contents.get(path.name.removesuffix(".gz").replace(".", "-"))
    if known is not None and _sha256(head, body) != known:
        raise DataError(f"{path} is damaged, or of another dataset: its content has another hash. Download it again.")
    return np.frombuffer(body, np.uint8).reshape(shape)


def _shape(path: Path, head: bytes, dimensions: int) -> tuple[int, ...]:
    if len(head) < 4 + 4 * dimensions or head[:4] != bytes((0, 0, _BYTES, dimensions)):
        raise DataError(f"{path} is not an idx file of {dimensions} dimensions.")
    return tuple(int(length) for length in np.frombuffer(head, ">u4", count=dimensions, offset=4))


def _sha256(*parts: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()

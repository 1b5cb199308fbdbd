"""The idx files of MNIST and of the datasets made after it, compressed or not.

The format: http://yann.lecun.com/exdb/mnist/ (two zero bytes, the type, the number of dimensions, the dimensions as
big-endian 32-bit integers, the values).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from pathlib import Path

import numpy as np

from automl.data.images.images import Images
from automl.data.images.parts import part_of, train_and_test
from automl.data.images.source import ImageSource, Labelled, Wanted
from automl.errors import DataError

__all__ = ["matches", "read"]

_NAME = re.compile(r"(?P<part>.*(?:train|t10k|test))-(?P<kind>images|labels)[-.]idx[13]-ubyte(?:\.gz)?", re.IGNORECASE)
_BYTES = 0x08
"""idx's code of unsigned bytes, the only type in use here."""
_MOST = 8 << 30
"""Bytes that a file may hold; a small compressed one could claim to hold any number."""


def matches(folder: Path) -> bool:
    return any(_NAME.fullmatch(name) for name in os.listdir(folder))


def read(folder: Path, wanted: Wanted) -> ImageSource:
    """The dataset in `folder`: pictures and labels, to train on and to test with.

    Raises:
        DataError: a file is missing, damaged, or not the known one.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # the plain file replaces the compressed one
        if named := _NAME.fullmatch(path.name):
            part = part_of(re.split(r"[-_.]", named["part"])[-1])
            found.setdefault(str(part), {})[named["kind"].lower()] = path
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
    content = _content(path)
    known = wanted.contents.get(path.name.removesuffix(".gz"))
    if known is not None and hashlib.sha256(content).hexdigest() != known:
        raise DataError(f"{path} is damaged, or of another dataset: its content has another hash. Download it again.")
    begin = 4 + 4 * dimensions
    if len(content) < begin or content[:4] != bytes((0, 0, _BYTES, dimensions)):
        raise DataError(f"{path} is no idx file of {dimensions} dimensions.")
    shape = tuple(np.frombuffer(content, ">u4", count=dimensions, offset=4).astype(int))
    values = np.frombuffer(content, np.uint8, offset=begin)
    if values.size != int(np.prod(shape)):
        raise DataError(f"{path} is cut off: it announces {int(np.prod(shape)):,} values and holds {values.size:,}.")
    return values.reshape(shape)


def _content(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content: bytes = file.read(_MOST + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged or cut off: {error}. Download it again.") from error
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    if len(content) > _MOST:
        raise DataError(f"{path} unpacks to more than {_MOST >> 30} GB, which no such file does.")
    return content

"""From whatever a user calls image data to a `Table` whose X is an `Images`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automl.errors import DataError
from automl.learning.data.fingerprint import fingerprint
from automl.learning.data.guardrails import Guardrail, Verdict, noted_in
from automl.learning.data.images.convert import fitted
from automl.learning.data.images.decoded import Decoded, decode_all
from automl.learning.data.images.images import Images
from automl.learning.data.images.sizes import choose_size, require_room
from automl.learning.data.images.source import Labelled
from automl.learning.data.images.sources import read_images
from automl.learning.data.kinds import ColumnKind, ImageColumn
from automl.learning.data.load import MIN_ROWS
from automl.learning.data.names import some
from automl.learning.data.options import DataOptions
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.protocols import told
from automl.learning.data.table import Table
from automl.learning.data.target import read_role, read_target

__all__ = ["COLUMN", "load_images", "load_images_like"]

COLUMN = "image"
"""Name of the only column of a table of images."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Decoded pictures with their labels and roles; what could not be used is gone."""

    images: Images
    y: np.ndarray
    roles: Mapping[str, np.ndarray]
    guardrails: tuple[Guardrail, ...]


def load_images(
    source: Any,
    options: DataOptions | None = None,
    *,
    fold_column: str | None = None,
    reading: Reading | None = None,
) -> Table:
    """Read pictures and labels, and bring the pictures to one size.

    Args:
        source: a dataset of the catalogue (mnist, cifar10, cifar100); a folder with one folder of pictures per class,
            with or without train and test folders around; a folder of idx files, of CIFAR's batches, or of Parquet
            files; a Parquet file with a column of pictures, a .npz with arrays; (X, y) where X is an array (n, height,
            width, channels), (n, channels, height, width) or (n, height, width), or a sequence of paths, bytes, PIL
            images or arrays; a table with a column of pictures. None takes the source of `options`.
        options: target, roles, test data, data directory, image size.
        fold_column: the column that holds each picture's fold.
        reading: the circumstances: the clock of a search that waits for them, and whether to show bars for a download
            and for decoding.

    Returns:
        A table whose X is an `Images` and whose only column an `ImageColumn`. The dataset's own test part is its
        `test`, unless the options name another.

    Raises:
        DataError: the data cannot be read, or nothing can be learned from it; one sentence.
    """
    options, reading = options or DataOptions(), reading or Reading()
    columns = _columns(options, fold_column)
    found = read_images(options.source if source is None else source, options, columns=columns, reading=reading)
    shape, about_size = _shape(found.train, options, reading)
    rows = _rows(found.train, shape, options, found.target, fold_column=fold_column, reading=reading)
    if len(rows.y) < MIN_ROWS:
        raise DataError(f"There are {len(rows.y)} pictures with a label; at least {MIN_ROWS} are needed.")
    hashes = rows.images.hashes()
    table = Table(
        name=found.name,
        X=rows.images,
        y=rows.y,
        target=found.target,
        columns=(_column(shape, hashes, found.white),),
        guardrails=(*found.guardrails, *about_size, *rows.guardrails, _single_pictures(rows.y)),
    ).with_roles(rows.roles)
    table = replace(table, fingerprint=fingerprint(table, hashes))
    if options.test is not None:
        test = load_images_like(options.test, options, table, what="test data", reading=reading)
        return _tested(table, test, hashes)
    if found.test is None:
        return table
    return _tested(table, _like(found.test, found.name, options, table, reading), hashes)


def _tested(table: Table, test: Table, hashes: np.ndarray) -> Table:
    """`table`, whose pictures have these `hashes`, with its test part, and a word on pictures that are in both."""
    assert isinstance(test.X, Images)
    known = int(np.isin(test.X.hashes(), hashes).sum())
    message = "No test picture is among those to train on."
    if known:
        message = f"{known:,} of {test.n_rows:,} test pictures are among those to train on: the test score flatters."
    verdict = Verdict.ALERTED if known else Verdict.PASSED
    about = (Guardrail("test_pictures", verdict, message), *noted_in("Test data", test.guardrails))
    return replace(table, test=test, guardrails=(*table.guardrails, *about))


def load_images_like(
    source: Any,
    options: DataOptions,
    like: Table,
    *,
    what: str = "data",
    reading: Reading | None = None,
) -> Table:
    """More pictures of a dataset, brought to the size of the others: test data, or the user's own validation data.

    Args:
        source: as for `load_images`; of a source in parts, the part to train on.
        options: those that `like` was loaded with.
        like: the table whose size and channels count.
        what: how messages call it.
        reading: the circumstances.

    Raises:
        DataError: the pictures cannot be read, or have no labels, or labels of another type.
    """
    reading = reading or Reading()
    try:
        own = options.model_copy(update={"test": None})
        column = like.columns[0]
        assert isinstance(column, ImageColumn)
        columns = _columns(options, None)
        found = read_images(source, own, columns=columns, white=column.white, reading=reading)
        return _like(found.train, found.name, own, like, reading)
    except DataError as error:
        shown = f" {told(os.fspath(source))}" if isinstance(source, str | os.PathLike) else ""
        raise DataError(f"The {what}{shown} cannot be used. {error}") from error


def _like(part: Labelled, name: str, options: DataOptions, like: Table, reading: Reading) -> Table:
    column = like.columns[0]
    assert isinstance(column, ImageColumn)
    present = _present(options, part)
    rows = _rows(part, column.shape, present, like.target, fold_column=None, reading=reading)
    if rows.y.dtype.kind != like.y.dtype.kind and "O" in (rows.y.dtype.kind, like.y.dtype.kind):
        raise DataError(f"The labels are {_sort(rows.y)} here, and {_sort(like.y)} in training.")
    table = replace(like, name=name, X=rows.images, y=rows.y, test=None, guardrails=rows.guardrails)
    table = table.with_roles(rows.roles)
    return replace(table, fingerprint=fingerprint(table))


def _shape(
    part: Labelled, options: DataOptions, reading: Reading
) -> tuple[tuple[int, int, int], tuple[Guardrail, ...]]:
    """Height, width and channels; arrays keep theirs."""
    if not len(part):
        raise DataError("There are no pictures.")
    if not isinstance(part.pictures, Images):
        return choose_size(part.pictures, options.image_size, reading)
    n, height, width, channels = part.pictures.shape
    if options.image_size is not None:
        height, width = options.image_size
        require_room(n * height * width * channels)
    return (height, width, channels), ()


def _rows(
    part: Labelled,
    shape: tuple[int, int, int],
    options: DataOptions,
    target: str,
    *,
    fold_column: str | None,
    reading: Reading,
) -> _Rows:
    if isinstance(part.pictures, Images):
        decoded = Decoded(fitted(part.pictures, shape))
    else:
        decoded = decode_all(part.pictures, shape, reading)
    kept = decoded.kept(len(part))
    y, labelled, guardrails = read_target(part.labels[kept], target)
    images = decoded.images if labelled.all() else decoded.images.take(np.flatnonzero(labelled))
    rows = np.flatnonzero(kept)[labelled]
    roles = {role: values[rows] for role, values in _roles(part, options, fold_column).items()}
    return _Rows(images, y, roles, (_about_skipped(decoded, len(part)), *guardrails))


def _columns(options: DataOptions, fold_column: str | None) -> tuple[str, ...]:
    named = (options.weight, options.group, options.time, fold_column)
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))


def _roles(part: Labelled, options: DataOptions, fold_column: str | None) -> dict[str, np.ndarray]:
    import pandas as pd

    beside = part.beside if part.beside is not None else pd.DataFrame(index=range(len(part)))
    wanted = {"weight": options.weight, "group": options.group, "time": options.time, "fold": fold_column}
    return {role: read_role(value, role, beside) for role, value in wanted.items() if value is not None}


def _present(options: DataOptions, part: Labelled) -> DataOptions:
    """The options without roles that these rows do not have."""
    names = () if part.beside is None else tuple(part.beside.columns)
    roles = {role: getattr(options, role) for role in ("weight", "group", "time")}
    absent = {role: None for role, value in roles.items() if not (isinstance(value, str) and value in names)}
    return options.model_copy(update=absent)


def _column(shape: tuple[int, int, int], hashes: np.ndarray, white: int | None) -> ImageColumn:
    height, width, channels = shape
    return ImageColumn(
        COLUMN,
        ColumnKind.IMAGE,
        missing=0,
        unique=int(np.unique(hashes).size),
        height=height,
        width=width,
        channels=channels,
        white=white,
    )


def _about_skipped(decoded: Decoded, count: int) -> Guardrail:
    if not decoded.skipped:
        return Guardrail("unreadable_pictures", Verdict.PASSED, "Every picture can be read.")
    named = some([str(each) for each in decoded.skipped])
    message = f"{len(decoded.skipped)} of {count:,} pictures cannot be read and are left out: {named}."
    return Guardrail("unreadable_pictures", Verdict.ALERTED, message)


def _single_pictures(y: np.ndarray) -> Guardrail:
    classes, counts = np.unique(y.astype(str), return_counts=True)
    alone = [repr(str(name)) for name in classes[counts == 1]]
    if not alone:
        return Guardrail("single_pictures", Verdict.PASSED, "Every class has more than one picture.")
    message = (
        f"A class with one picture cannot be learned and validated at once; add pictures, or drop it: {some(alone)}."
    )
    return Guardrail("single_pictures", Verdict.ALERTED, message)


def _sort(y: np.ndarray) -> str:
    return "text" if y.dtype.kind == "O" else "numbers"

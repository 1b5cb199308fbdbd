"""Pictures that a program passes: arrays, lists of pictures, and tables with a column of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from automl.errors import DataError
from automl.learning.data.frames import as_frame, as_series, first_name
from automl.learning.data.images.arrays import as_pixels, is_stack, white_of
from automl.learning.data.images.contents import as_pictures, is_picture, picture_column
from automl.learning.data.images.encoded import Encoded
from automl.learning.data.images.formats.parquet import label_column
from automl.learning.data.images.images import Images
from automl.learning.data.images.source import ImageSource, Labelled, Wanted

__all__ = ["are_pictures", "is_table_of_pictures", "read"]


def are_pictures(X: Any) -> bool:
    """Tell whether a value is several pictures: an array of three or four dimensions, or a sequence of single ones."""
    if isinstance(X, Images) or is_stack(X):
        return True
    if hasattr(X, "iloc") and getattr(X, "ndim", 0) == 1:
        X = list(X.head(1))
    return isinstance(X, Sequence) and not isinstance(X, str | bytes) and len(X) > 0 and is_picture(X[0])


def is_table_of_pictures(source: Any) -> bool:
    """Tell whether a table has a column of pictures."""
    if hasattr(source, "collect") and not hasattr(source, "to_pandas"):
        return False  # a query of polars, which would have to be run
    if not hasattr(source, "columns") and not hasattr(source, "column_names"):
        return False
    head = source.head(20) if hasattr(source, "head") else source.slice(0, 20)
    try:
        return picture_column(as_frame(head)) is not None
    except DataError:
        return True  # several of them, which reading it says


def read(source: Any, wanted: Wanted) -> ImageSource:
    """(X, y), or a table with a column of pictures and one of labels.

    Raises:
        DataError: there are no labels, or not as many as pictures; or a value is not a picture.
    """
    if isinstance(source, tuple) and len(source) == 2:
        return _from_parts(*source, wanted)
    if are_pictures(source):
        raise DataError("The pictures came without labels: pass (X, y).")
    frame = as_frame(source)
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    column = picture_column(frame)
    if column is None:
        raise DataError("The table has no column of pictures: bytes, PIL images, arrays, or paths.")
    target = label_column([name for name in frame.columns if name != column], wanted)
    labels = frame[target].reset_index(drop=True)
    beside = frame.drop(columns=[column, target]).reset_index(drop=True)
    pictures = as_pictures(frame[column], wanted.white)
    return ImageSource("data", Labelled(pictures, labels, beside), target=target, white=pictures.white)


def _from_parts(X: Any, y: Any, wanted: Wanted) -> ImageSource:
    pictures, white = _pictures(X, wanted.white)
    labels = as_series(y, what="labels")
    if len(labels) != len(pictures):
        raise DataError(f"There are {len(pictures):,} pictures and {len(labels):,} labels; they must be equally many.")
    target = wanted.target or first_name(y) or "label"
    return ImageSource("data", Labelled(pictures, labels), target=target, white=white)


def _pictures(X: Any, white: int | None) -> tuple[Images | Encoded, int | None]:
    """The pictures, and the value that white has among them."""
    if isinstance(X, Images):
        return X, white
    if is_stack(X):
        white = white or white_of(X)
        return Images(as_pixels(X[..., None] if X.ndim == 3 else X, white=white)), white
    pictures = as_pictures(X, white)
    return pictures, pictures.white

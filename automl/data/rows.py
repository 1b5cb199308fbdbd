"""Whatever a user calls rows, as the rows that a model was trained on: a table, or pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from automl.data.kinds import Column, ImageColumn

if TYPE_CHECKING:
    from automl.data.table import Features

__all__ = ["as_rows"]


def as_rows(X: Any, columns: Sequence[Column]) -> Features:
    """`X` with exactly `columns`, for prediction.

    Args:
        X: a table (`automl.data.align.align_frame`); for an `ImageColumn` pictures of any size: paths, PIL images,
            arrays (`automl.data.images.convert.as_images`).

    Raises:
        DataError: a column is missing, or something is no picture.
    """
    first = columns[0] if len(columns) == 1 else None
    if isinstance(first, ImageColumn):
        from automl.data.images.convert import as_images

        return as_images(X, first)
    from automl.data.align import align_frame

    return align_frame(X, columns)

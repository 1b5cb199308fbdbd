"""Whatever a user calls rows, as the rows that a model was trained on: a table, or pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from automl.learning.data.form import form_for
from automl.learning.data.kinds import Column

if TYPE_CHECKING:
    from automl.learning.data.table import Features

__all__ = ["as_rows"]


def as_rows(X: Any, columns: Sequence[Column]) -> Features:
    """`X` with exactly `columns`, for prediction.

    Args:
        X: a table (`automl.learning.data.align.align_frame`); for an `ImageColumn` pictures of any size: paths, PIL
            images, arrays (`automl.learning.data.images.convert.as_images`).

    Raises:
        DataError: a column is missing, or something is not a picture.
    """
    return form_for(columns).align(X, columns)

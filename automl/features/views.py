"""The views of the data that an algorithm can ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from automl.errors import SpaceError

if TYPE_CHECKING:
    from automl.data.kinds import Column
    from automl.features.base import View

__all__ = ["make_features"]


def make_features(view: str, columns: Sequence[Column]) -> View:
    """The unfitted transformer of a view, from raw columns to a matrix.

    Args:
        view: ``numeric`` (float64, imputed, scaled, one-hot) or ``native`` (float32, codes, NaN where missing).
        columns: what the raw columns hold.

    Raises:
        SpaceError: there is no such view.
    """
    if view == "numeric":
        from automl.features.numeric import NumericView

        return NumericView(columns)
    if view == "native":
        from automl.features.native import NativeView

        return NativeView(columns)
    raise SpaceError(f"there is no view {view!r}; choose 'numeric' or 'native'.", key="view")

"""The views of the data that an algorithm can ask for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from automl.errors import SpaceError
from automl.learning.data.kinds import Column, ImageColumn

if TYPE_CHECKING:
    from automl.learning.features.base import View

__all__ = ["make_features", "view_module"]

_TABLES = {
    "numeric": "automl.learning.features.numeric.NumericView",
    "native": "automl.learning.features.native.NativeView",
}
_PICTURES = {
    "numeric": "automl.learning.features.images.flat.FlatView",
    "hog": "automl.learning.features.images.hog.HogView",
    "patches": "automl.learning.features.images.patches.PatchesView",
    "pixels": "automl.learning.features.images.pixels.PixelsView",
}
"""Views by name: import paths, since an experiment needs few of them."""


def make_features(view: str, columns: Sequence[Column]) -> View:
    """The unfitted transformer of a view, from raw rows to what a learner takes.

    Args:
        view: of tables ``numeric`` (float64, imputed, scaled, one-hot) or ``native`` (float32, codes, NaN where
            missing); of pictures ``numeric`` (float32, flattened), ``hog`` (float32, histograms of oriented gradients),
            ``patches`` (float32, responses to random patches) or ``pixels`` (uint8, as they are).
        columns: what the raw rows hold.

    Raises:
        SpaceError: there is no such view of these rows.
    """
    module, _, name = _path(view, columns).rpartition(".")
    kind: type[View] = getattr(importlib.import_module(module), name)
    return kind(columns)


def view_module(view: str, columns: Sequence[Column]) -> str:
    """The module that `make_features` needs.

    Raises:
        SpaceError: there is no such view of these rows.
    """
    return _path(view, columns).rpartition(".")[0]


def _path(view: str, columns: Sequence[Column]) -> str:
    pictures = any(isinstance(column, ImageColumn) for column in columns)
    known: Mapping[str, str] = _PICTURES if pictures else _TABLES
    if view in known:
        return known[view]
    rows, others = ("pictures", "tables") if pictures else ("tables", "pictures")
    near = difflib.get_close_matches(view, known, n=1)
    if view in (_TABLES if pictures else _PICTURES):
        reason = f"the view {view!r} is for {others}, and this is about {rows}"
    else:
        reason = f"there is no view {view!r}"
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(map(repr, known))}."
    raise SpaceError(f"{reason}; {hint}", key="view")

"""The views of the data that an algorithm can ask for: those of automl, and plugins' under `automl.views`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from automl.errors import SpaceError
from automl.learning.data.kinds import Column
from automl.validation_errors import Mistake

if TYPE_CHECKING:
    from automl.engine.space.space import SearchSpace
    from automl.learning.features.base import View

__all__ = ["check_view", "find_view_mistakes", "make_features", "view_modules"]

_GROUP = "automl.views"
_SHIPPED: Mapping[str, tuple[str, ...]] = {
    "numeric": ("automl.learning.features.numeric:NumericView", "automl.learning.features.images.flat:FlatView"),
    "native": ("automl.learning.features.native:NativeView",),
    "hog": ("automl.learning.features.images.hog:HogView",),
    "patches": ("automl.learning.features.images.patches:PatchesView",),
    "pixels": ("automl.learning.features.images.pixels:PixelsView",),
}
"""Views by name: import paths, since an experiment needs few of them. Each class says which rows it is for."""


def make_features(view: str, columns: Sequence[Column]) -> View:
    """The unfitted transformer of a view, from raw rows to what a learner takes.

    Args:
        view: of tables ``numeric`` (float64, imputed, scaled, one-hot) or ``native`` (float32, codes, NaN where
            missing); of pictures ``numeric`` (float32, flattened), ``hog`` (float32, histograms of oriented gradients),
            ``patches`` (float32, responses to random patches) or ``pixels`` (uint8, as they are); or a plugin's.
        columns: what the raw rows hold.

    Raises:
        SpaceError: there is no such view of these rows.
    """
    return _find(view, columns)(columns)


def check_view(view: str, columns: Sequence[Column]) -> None:
    """Refuse what `make_features` cannot make.

    Raises:
        SpaceError: there is no such view of these rows.
    """
    _find(view, columns)


def find_view_mistakes(space: SearchSpace) -> list[Mistake]:
    """The entries of `space` whose view does not exist, whatever the rows: what can be said without any data."""
    mistakes = []
    for name, algorithm in space.algorithms.items():
        if not _points(algorithm.view):
            place = ("algorithms", name, "view")
            mistakes.append(Mistake(place, f"{_absent(algorithm.view)}; {_hint(algorithm.view, _names())}"))
    return mistakes


def view_modules(view: str) -> tuple[str, ...]:
    """The modules that `make_features` may need. Nothing is imported."""
    return tuple(point.module for point in _points(view))


def _find(view: str, columns: Sequence[Column]) -> type[View]:
    rows = columns[0].rows if columns else Column.rows
    kinds = [_load(point) for point in _points(view)]
    for kind in kinds:
        if kind.rows == rows:
            return kind
    others = f"the view {view!r} is for {kinds[0].rows}, and this is about {rows}" if kinds else ""
    known = [name for name in _names() if any(_load(point).rows == rows for point in _points(name))]
    raise SpaceError(f"{others or _absent(view)}; {_hint(view, known)}", key="view")


def _absent(view: str) -> str:
    return f"there is no view {view!r}"


def _hint(view: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(view, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(map(repr, known))}."


def _names() -> list[str]:
    return list(dict.fromkeys([*_SHIPPED, *(point.name for point in entry_points(group=_GROUP))]))


@cache
def _points(view: str) -> tuple[EntryPoint, ...]:
    """The views of this name, at most one for rows of each kind: where two are for the same, the first is taken."""
    shipped = (EntryPoint(view, path, _GROUP) for path in _SHIPPED.get(view, ()))
    return (*shipped, *entry_points(group=_GROUP, name=view))


@cache
def _load(point: EntryPoint) -> type[View]:
    kind: type[View] = point.load()
    return kind

"""The views of the data that an algorithm can ask for: those of automl, and plugins' under `automl.views`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from automl.errors import SpaceError
from automl.learning.data.kinds import Column
from automl.validation_errors import Mistake, find_mistakes
from automl.yaml_file import Key, dotted

if TYPE_CHECKING:
    from automl.engine.space.space import SearchSpace
    from automl.learning.features.base import View

__all__ = [
    "ViewChoice", "check_view", "find_view_mistakes", "make_features", "view_key", "view_modules", "view_name",
]  # fmt: skip

ViewChoice = str | Mapping[str, Any]
"""A view by its name, or a mapping of ``name`` and parameters."""

_GROUP = "automl.views"
_SHIPPED: Mapping[str, tuple[str, ...]] = {
    "numeric": ("automl.learning.features.numeric:NumericView", "automl.learning.features.images.flat:FlatView"),
    "native": ("automl.learning.features.native:NativeView",),
    "hog": ("automl.learning.features.images.hog:HogView",),
    "patches": ("automl.learning.features.images.patches:PatchesView",),
    "pixels": ("automl.learning.features.images.pixels:PixelsView",),
}
"""Views by name: import paths, since an experiment needs few of them. Each class says which rows it is for."""


def make_features(view: ViewChoice, columns: Sequence[Column]) -> View:
    """The unfitted transformer of a view, from raw rows to what a learner takes.

    Args:
        view: of tables ``numeric`` (float64, imputed, scaled, one-hot) or ``native`` (float32, codes, NaN where
            missing); of pictures ``numeric`` (float32, flattened), ``hog`` (float32, histograms of oriented gradients),
            ``patches`` (float32, responses to random patches) or ``pixels`` (uint8, as they are); or a plugin's.
        columns: what the raw rows hold.

    Raises:
        SpaceError: there is no such view of these rows, or it cannot be made with such parameters; with the key.
    """
    name, given = _parts(view)
    kind = _find(name, columns)
    mistakes = _mistakes(kind, name, given)
    if mistakes:
        raise SpaceError(mistakes[0].message, key=dotted(("view", *mistakes[0].key)))
    try:
        return kind(columns, kind.Settings.model_validate(given))
    except Exception as error:  # a plugin's own, whatever it is
        raise SpaceError(f"the view {name!r} cannot be made: {error}", key="view") from error


def check_view(view: ViewChoice, columns: Sequence[Column]) -> None:
    """Refuse what `make_features` cannot make.

    Raises:
        SpaceError: as `make_features`.
    """
    make_features(view, columns)


def find_view_mistakes(space: SearchSpace) -> list[Mistake]:
    """The views of `space` that do not exist, or have other parameters, whatever the rows: what can be said without
    any data.
    """
    mistakes = []
    for algorithm, entry in space.algorithms.items():
        name, given = _parts(entry.view)
        place: Key = ("algorithms", algorithm, "view")
        points = _points(name)
        if not points:
            below: Key = () if isinstance(entry.view, str) else ("name",)
            mistakes.append(Mistake((*place, *below), f"{_absent(name)}; {_hint(name, _names())}"))
        elif given:
            found = _mistakes_in_all(points, given)
            mistakes += [Mistake((*place, *mistake.key), mistake.message) for mistake in found]
    return mistakes


def _mistakes_in_all(points: Sequence[EntryPoint], given: Mapping[str, Any]) -> list[Mistake]:
    """Find what is wrong with parameters whatever the rows; keys from there."""
    try:
        found = [_mistakes(_load(point), point.name, given) for point in points]
    except SpaceError as error:
        return [Mistake((), error.message)]
    return found[0] if all(found) else []


def view_name(view: ViewChoice) -> str:
    return _parts(view)[0]


def view_key(view: ViewChoice) -> str:
    """A key that is equal for equal names and parameters only."""
    return view if isinstance(view, str) else json.dumps(view, sort_keys=True)


def view_modules(view: ViewChoice) -> tuple[str, ...]:
    """The modules that `make_features` may need. Nothing is imported."""
    return tuple(point.module for point in _points(view_name(view)))


def _parts(view: ViewChoice) -> tuple[str, dict[str, Any]]:
    if isinstance(view, str):
        return view, {}
    return view["name"], {name: value for name, value in view.items() if name != "name"}


def _mistakes(kind: type[View], name: str, given: Mapping[str, Any]) -> list[Mistake]:
    """Find what is wrong with parameters of a view; keys from there."""
    if given and not kind.Settings.model_fields:
        return [Mistake((next(iter(given)),), f"the view {name!r} of {kind.rows} has no parameters.")]
    error: ValidationError | None = None
    try:
        kind.Settings.model_validate(given)
    except ValidationError as found:
        error = found
    return find_mistakes(error, kind.Settings, given)


def _find(name: str, columns: Sequence[Column]) -> type[View]:
    rows = columns[0].rows if columns else Column.rows
    kinds = [_load(point) for point in _points(name)]
    for kind in kinds:
        if kind.rows == rows:
            return kind
    others = f"the view {name!r} is for {kinds[0].rows}, and this is about {rows}" if kinds else ""
    raise SpaceError(f"{others or _absent(name)}; {_hint(name, _names_for(rows))}", key="view")


def _names_for(rows: str) -> list[str]:
    known = []
    for name in _names():
        with suppress(SpaceError):  # a broken plugin that nobody has asked for
            known += [name] * any(_load(point).rows == rows for point in _points(name))
    return known


def _absent(name: str) -> str:
    return f"there is no view {name!r}"


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(map(repr, known))}."


def _names() -> list[str]:
    return list(dict.fromkeys([*_SHIPPED, *(point.name for point in entry_points(group=_GROUP))]))


@cache
def _points(name: str) -> tuple[EntryPoint, ...]:
    """The views of this name, at most one for rows of each kind: where two are for the same, the first is taken."""
    shipped = (EntryPoint(name, path, _GROUP) for path in _SHIPPED.get(name, ()))
    return (*shipped, *entry_points(group=_GROUP, name=name))


@cache
def _load(point: EntryPoint) -> type[View]:
    from automl.learning.features.base import View  # scikit-learn: not needed to read a configuration

    try:
        kind = point.load()
    except Exception as error:  # a plugin's own, whatever it is
        raise SpaceError(f"the view {point.name!r} of {point.value} cannot be imported: {error}", key="view") from error
    if not (isinstance(kind, type) and issubclass(kind, View)):
        raise SpaceError(f"the view {point.name!r} of {point.value} is not a View", key="view")
    return kind

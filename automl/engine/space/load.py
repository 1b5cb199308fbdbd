"""Read a search space from wherever it is written, and leave out what cannot run here."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from automl.engine.space.library import shipped_space
from automl.engine.space.raytune import translate
from automl.engine.space.space import ParameterSpace, SearchSpace, check_version
from automl.errors import MissingExtraError, SpaceError
from automl.validation_errors import Mistake, as_error, find_mistakes
from automl.yaml_file import Document, Key, read_document

__all__ = ["EXTRAS", "Exclusion", "available", "install_hint", "is_installed", "load_parameters", "load_space"]

EXTRAS = {"xgboost": "boosters", "catboost": "boosters", "cmaes": "cmaes", "torch": "torch", "tabm": "torch"}
"""{module: the extra that installs it}"""

_Model = TypeVar("_Model", bound=BaseModel)


def load_space(
    source: str | Path | Mapping[str, Any] | SearchSpace | None,
    *,
    task: str,
    key: str = "search.space",
    check: Callable[[SearchSpace], Sequence[Mistake]] | None = None,
) -> SearchSpace:
    """The space in a YAML file or an inline mapping; None for the one that is shipped for `task`.

    Args:
        key: where an inline mapping is in the experiment's configuration.
        check: finds what else is wrong with a space that is not shipped, in what the space itself cannot judge.

    Raises:
        SpaceError: it is malformed; with the key, and file and line if it is in a file.
    """
    if source is None:
        return _shipped(shipped_space(task))
    if isinstance(source, SearchSpace):
        space, document = source, Document({})
    else:
        document = _document(source, key)
        space = _validate(SearchSpace, document, key)
    _refuse([] if check is None else check(space), document, key)
    return space


@cache
def _shipped(path: Path) -> SearchSpace:
    """Read once in a process: fits in a row, as in a cross-validation, would spend a third of their overhead here."""
    return _validate(SearchSpace, _document(path, ""), "")


def load_parameters(
    source: str | Path | Mapping[str, Any] | ParameterSpace, *, key: str = "search.space"
) -> ParameterSpace:
    """The space of a command: {parameter: definition}, in a YAML file or inline.

    Raises:
        SpaceError: it is malformed; with the key, and file and line if it is in a file.
    """
    if isinstance(source, ParameterSpace):
        return source
    document = _document(source, key)
    if document.file is not None and isinstance(document.values.get("format_version"), int):
        try:
            check_version(document.values["format_version"])
        except ValueError as error:
            message, place = f"{error}.", ("format_version",)
            raise SpaceError(message, file=document.file, line=document.line(place), key="format_version") from None
        values = {name: definition for name, definition in document.values.items() if name != "format_version"}
        document = replace(document, values=values)
    return _validate(ParameterSpace, document, key)


def _document(source: Any, key: str) -> Document:
    if isinstance(source, str | Path):
        try:
            return read_document(source, kind=SpaceError)
        except SpaceError as error:  # without a file it is known only what names it
            raise error if error.file else SpaceError(error.message, key=key) from None
    if not isinstance(source, Mapping):
        raise SpaceError("expected a file, or a mapping with the space itself.", key=key)
    return Document(dict(translate(source, key)))


def _validate(model: type[_Model], document: Document, key: str) -> _Model:
    error: ValidationError | None = None
    space: _Model | None = None
    try:
        space = model.model_validate(document.values)
    except ValidationError as found:
        error = found
    _refuse(find_mistakes(error, model, document.values), document, key)
    assert space is not None
    return space


def _refuse(mistakes: Sequence[Mistake], document: Document, key: str) -> None:
    if mistakes:
        prefix: Key = () if document.file else tuple(key.split("."))
        raise as_error(mistakes, document, kind=SpaceError, prefix=prefix)


@dataclass(frozen=True)
class Exclusion:
    """An algorithm that the search leaves out, and why, in one sentence."""

    algorithm: str
    reason: str


def install_hint(module: str) -> str:
    """``xgboost is not installed: ...`` with what helps. What other names would install is unknown."""
    advice = f": pip install 'automl-search[{EXTRAS[module]}]'" if module in EXTRAS else ""
    return f"{module} is not installed{advice}"


def is_installed(package: str) -> bool:
    """Tell whether a top-level module can be found. Nothing is imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # __main__, and what was made rather than imported
        return package in sys.modules


def available(
    space: SearchSpace, *, asked: Collection[str] = (), n_rows: int | None = None
) -> tuple[SearchSpace, tuple[Exclusion, ...]]:
    """The space without algorithms that cannot run here, or not on a table of `n_rows`; and what was left out.

    Modules are looked for, not imported.

    Args:
        asked: algorithms that the user named: for them, a missing module is an error and `max_rows` no reason.

    Raises:
        MissingExtraError: an algorithm in `asked` needs a module that is not there.
        SpaceError: nothing is left.
    """
    exclusions = []
    for name, algorithm in space.algorithms.items():
        missing = next((module for module in algorithm.needs if not is_installed(module)), None)
        if missing is not None:
            hint = install_hint(missing)
            if name in asked:
                raise MissingExtraError(f"{name} was asked for, but {hint}.")
            exclusions.append(Exclusion(name, f"{hint} to try {name}" if missing in EXTRAS else f"{name}: {hint}"))
        elif n_rows is not None and n_rows > (algorithm.max_rows or n_rows) and name not in asked:
            reason = f"{name} is tried up to {algorithm.max_rows:,} rows; there are {n_rows:,}"
            exclusions.append(Exclusion(name, reason))
    out = {exclusion.algorithm for exclusion in exclusions}
    if len(out) == len(space.algorithms):
        reasons = "; ".join(exclusion.reason for exclusion in exclusions)
        raise SpaceError(f"no algorithm of the search space can run here: {reasons}", key="search.algorithms")
    return space.only([name for name in space.algorithms if name not in out]), tuple(exclusions)

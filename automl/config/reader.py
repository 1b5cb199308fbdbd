"""From YAML, or from arguments, to an `ExperimentConfig`; every mistake with its file, line and key."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from automl.config.schema import LATER, ExperimentConfig
from automl.config.tasks import other_tasks
from automl.config.writer import is_cut
from automl.errors import ConfigError
from automl.validation_errors import Mistake, as_error, find_mistakes
from automl.yaml_file import Document, document_text, parse_document

__all__ = ["build_config", "read_config", "read_config_text"]

_NAMES_OR_PATHS = (("data", "source"), ("data", "test"), ("validation", "source"))
"""Keys whose value may also be the name of a built-in dataset."""

_PATHS = (
    ("data", "directory"),
    ("search", "space"),
    ("search", "warm_start"),
    ("compute", "storage"),
    ("", "workspace"),
)

_EXPERIMENT = ("search", "warm_start")
"""A directory, or what the workspace knows an experiment by: a name, an id, ``name/id``."""

_TEXTS = (*_NAMES_OR_PATHS, ("data", "weight"), ("data", "group"), ("data", "time"))
"""Keys that take tables or arrays from Python, and nothing but a text from a file."""

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def read_config(path: str | Path) -> tuple[ExperimentConfig, Document]:
    """Read an experiment file.

    Returns:
        The configuration, and the document, which places later errors (`Document.place`) in the file.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong.
    """
    text = document_text(path)
    document = parse_document(text, file=Path(path).expanduser())
    if is_cut(text):
        raise ConfigError("the file is cut off: its last line, '...', is missing. Restore it from a backup.", file=path)
    return _validate(document, Path(path).expanduser().absolute().parent), document


def read_config_text(text: str, *, base: str | Path = ".") -> ExperimentConfig:
    """Read an experiment from YAML text; relative paths are relative to `base`.

    Raises:
        ConfigError: something in it is wrong.
    """
    return _validate(parse_document(text), Path(base).absolute())


def build_config(arguments: Mapping[str, Any]) -> ExperimentConfig:
    """The configuration that the arguments of a call declare; relative paths are relative to the working directory.

    Args:
        arguments: by the keys of an experiment file; each group a mapping or an options object.

    Raises:
        ConfigError: something in them is wrong.
    """
    return _validate(Document(dict(arguments)), Path.cwd())


def _validate(document: Document, base: Path) -> ExperimentConfig:
    error: ValidationError | None = None
    config: ExperimentConfig | None = None
    try:
        config = ExperimentConfig.model_validate(document.values)
    except ValidationError as found:
        error = found
    mistakes = find_mistakes(error, ExperimentConfig, document.values, later=LATER)
    if document.lines:
        wrong = {mistake.key for mistake in mistakes}
        mistakes += [mistake for mistake in _objects_in_file(document.values) if mistake.key not in wrong]
    if mistakes or config is None:
        raise as_error(mistakes, document)
    return _absolute(config, base)


def _objects_in_file(values: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find what only makes sense from Python, and the one thing that only a file has to say: where the data is.

    The record of an experiment whose data came from memory says ``source: null``.
    """
    data = values.get("data")
    if data is None or (isinstance(data, Mapping) and "source" not in data):
        task = values.get("task")
        if not isinstance(task, str) or task not in other_tasks():
            yield Mistake(("data", "source"), "is needed: a file, a URL, or a built-in dataset such as iris.")
    elif not isinstance(data, str | Mapping):
        yield Mistake(("data",), "expected a mapping or a text.")
    for group, key in _TEXTS:
        holder = values.get(group)
        value = holder.get(key) if isinstance(holder, Mapping) else None
        if value is not None and not isinstance(value, str):
            yield Mistake((group, key), "expected a text; put it in quotes if it looks like a number.")


def _absolute(config: ExperimentConfig, base: Path) -> ExperimentConfig:
    """The configuration with absolute paths. Names of datasets and URLs are unchanged."""
    changes: dict[str, dict[str, Any]] = {}
    for group, key in (*_NAMES_OR_PATHS, *_PATHS):
        value = getattr(getattr(config, group) if group else config, key, None)
        if value is not None and _is_path(value) and not _is_name((group, key), value, base):
            changes.setdefault(group, {})[key] = _against(base, value)
    top = changes.pop("", {})
    groups = {group: getattr(config, group).model_copy(update=update) for group, update in changes.items()}
    return config.model_copy(update={**top, **groups})


def _is_name(place: tuple[str, str], value: str | os.PathLike[str], base: Path) -> bool:
    """Tell whether `value` is to be looked up, rather than read as a path."""
    if place == _EXPERIMENT:
        return not (Path(_against(base, value)) / "experiment.yaml").is_file()
    return place in _NAMES_OR_PATHS and isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_path(value: Any) -> bool:
    return isinstance(value, os.PathLike) or (isinstance(value, str) and value != "" and "://" not in value)


def _against(base: Path, value: str | os.PathLike[str]) -> str:
    path = Path(value)
    with contextlib.suppress(RuntimeError):  # no such user
        path = path.expanduser()
    return os.path.normpath(base / path)

"""The keys that a Pydantic model takes: which may be where, however models, unions and lists are nested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel

from automl.yaml_file import Key

__all__ = ["all_keys", "fields_of", "kinds_at", "tags_of"]


def _kinds(annotation: Any) -> Iterator[Any]:
    """The members of a union, without Annotated and aliases."""
    if get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _kinds(member)
    else:
        yield annotation


def _is_model(kind: Any) -> bool:
    """True for a model with its own keys: a root model is what it wraps."""
    return isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, RootModel)


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    """Find what may be below `kind` at `part`."""
    if isinstance(kind, type) and issubclass(kind, RootModel):
        kind = kind.model_fields["root"].annotation
    origin, arguments = get_origin(kind), get_args(kind)
    if _is_model(kind):
        if part in kind.model_fields:
            yield from _kinds(kind.model_fields[part].annotation)
    elif isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
        yield from _kinds(arguments[1])
    elif arguments and origin in (tuple, list) and isinstance(part, str):
        for element in _elements(kind):  # one entry may be given without its list
            yield from _below(element, part)
    elif isinstance(part, int) and arguments and origin is not Literal:
        repeated = len(arguments) == 1 or arguments[-1] is ...
        if repeated or part < len(arguments):
            yield from _kinds(arguments[0] if repeated else arguments[part])


def _elements(kind: Any) -> list[Any]:
    """Return what a list or tuple holds; `kind` itself if it is neither."""
    if get_origin(kind) not in (tuple, list):
        return [kind]
    return [element for argument in get_args(kind) if argument is not ... for element in _kinds(argument)]


def fields_of(kinds: Sequence[Any]) -> list[str]:
    """The keys that any of `kinds` has."""
    models = [element for kind in kinds for element in _elements(kind) if _is_model(element)]
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def tags_of(kinds: Sequence[Any], name: str) -> list[str]:
    """The values of the field `name` that tell members of a union apart."""
    fields = [kind.model_fields[name].annotation for kind in kinds if _is_model(kind) and name in kind.model_fields]
    return [str(value) for field in fields if get_origin(field) is Literal for value in get_args(field)]


def kinds_at(model: type[BaseModel], key: Key, values: Any) -> list[Any]:
    """Return what may be at `key`, given what is there: of a union whose members say their type, the one meant."""
    kinds: list[Any] = [model]
    for part in key:
        kinds = [below for kind in kinds for below in _below(kind, part)]
        values = _inside(values, part)
        said = values.get("type") if isinstance(values, Mapping) else None
        kinds = [kind for kind in kinds if said in tags_of([kind], "type")] or kinds
    return kinds


def _inside(values: Any, part: str | int) -> Any:
    try:
        return values[part]
    except (TypeError, LookupError):
        return None


def all_keys(model: type[BaseModel], above: Key = ()) -> Iterator[Key]:
    """Every key of `model` and of the models in it, to a depth of four."""
    for name, info in model.model_fields.items():
        yield (*above, name)
        if len(above) < 3:
            for kind in _kinds(info.annotation):
                if _is_model(kind):
                    yield from all_keys(kind, (*above, name))

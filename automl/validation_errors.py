"""Pydantic's errors as sentences for the person who made the mistake: which key, what is expected, what to write."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from automl.errors import ConfigError
from automl.model_keys import all_keys, fields_of, kinds_at, tags_of
from automl.yaml_file import Document, Key, dotted

__all__ = ["Mistake", "as_error", "find_mistakes", "in_short", "problem_at"]


@dataclass(frozen=True)
class Mistake:
    """The mistake at one key, as a sentence without the key."""

    key: Key
    message: str


def problem_at(key: Key, reason: str) -> PydanticCustomError:
    """For a validator to raise: an error of a key further down than Pydantic can see from there.

    Args:
        key: from the value that the validator looks at.
    """
    return PydanticCustomError("problem_at", "{reason}", {"reason": reason, "key": key})


_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "none_required": "null",
    "path_type": "a path",
}
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def find_mistakes(
    error: ValidationError | None, model: type[BaseModel], values: Mapping[str, Any], *, later: Mapping[str, str] = {}
) -> list[Mistake]:
    """All mistakes in `values`, one for each key, in the order of the keys.

    Args:
        error: what validating `values` against `model` raised; None if it passed. (A boolean passes for a number.)
        later: dotted keys that a later version will know, and what to say about them.
    """
    found: dict[Key, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False, include_context=True) if error else ():
        found.setdefault(_key(detail, values), []).append(detail)
    sentences = _Sentences(model, values, later)
    mistakes = {key: sentences.of(key, details) for key, details in found.items() if not _answered_below(key, found)}
    for key in _booleans_for_numbers(values, model, ()):
        mistakes.setdefault(key, f"expected a number, found {_shown(_at(values, key))}.")
    for meant in sentences.meant:  # a key that is only misspelt is not missing as well
        if all(detail["type"] == "missing" for detail in found.get(meant, ())):
            mistakes.pop(meant, None)
    order = {key: position for position, key in enumerate(_walk(values, ()))}
    in_order = sorted(mistakes, key=lambda key: order.get(key, order.get(key[:-1], 0)))
    return [Mistake(key, mistakes[key]) for key in in_order]


def as_error(
    mistakes: Sequence[Mistake], document: Document, *, kind: type[ConfigError] = ConfigError, prefix: Key = ()
) -> ConfigError:
    """`mistakes`, of which there is at least one, as an error with file and lines.

    Args:
        document: what was read.
        kind: of the error.
        prefix: the key that the document's values are under, if they are a part of something larger.
    """
    errors = [
        kind(
            mistake.message,
            file=document.file,
            line=document.line(mistake.key) if document.lines else None,
            key=dotted((*prefix, *mistake.key)) or None,
        )
        for mistake in mistakes
    ]
    return errors[0] if len(errors) == 1 else kind.several(errors)


def _key(detail: ErrorDetails, values: Any) -> Key:
    """The location without what Pydantic adds for members of unions."""
    key: list[str | int] = []
    location = detail["loc"]
    for position, part in enumerate(location):
        inside = isinstance(values, Mapping) and part in values
        inside = inside or (isinstance(values, list | tuple) and isinstance(part, int) and part < len(values))
        if inside:
            values = values[part]
            key.append(part)
        elif position == len(location) - 1 and detail["type"] == "missing":
            key.append(part)
    if detail["type"] == "problem_at":
        key.extend(detail["ctx"]["key"])
    return tuple(key)


def _answered_below(key: Key, found: Mapping[Key, object]) -> bool:
    """A member of a union that has mistakes inside is the one that was meant."""
    return any(len(other) > len(key) and other[: len(key)] == key for other in found)


class _Sentences:
    """Says what is wrong with one key after another.

    Attributes:
        meant: keys that were meant by misspelt ones.
    """

    def __init__(self, model: type[BaseModel], values: Any, later: Mapping[str, str]) -> None:
        self.meant: set[Key] = set()
        self._model, self._values, self._later = model, values, later

    def of(self, key: Key, details: Sequence[ErrorDetails]) -> str:
        expected: list[str] = []
        for detail in details:
            context = detail.get("ctx", {})
            match detail["type"]:
                case "extra_forbidden":
                    return self._unknown(key)
                case "missing":
                    return "is needed, but missing."
                case "value_error" | "assertion_error" | "problem_at":
                    message = str(context.get("error") or detail["msg"])
                    return message if message.endswith((".", "?")) else f"{message}."
                case "literal_error" | "enum":
                    return _choice(str(context.get("expected", "")), detail["input"])
                case "union_tag_invalid":
                    return _choice(str(context.get("expected_tags", "")), context.get("tag"))
                case "union_tag_not_found":
                    tag = str(context.get("discriminator", "type")).strip("'")
                    return f"needs {tag!r}, one of {', '.join(tags_of(self._kinds_at(key), tag))}."
                case "too_short":
                    return "must not be empty."
                case kind if kind in _BOUNDS:
                    words, bound = _BOUNDS[kind]
                    return f"must be {words} {context.get(bound)}, found {_shown(detail['input'])}."
                case kind if kind in _EXPECTED:
                    expected.append(_EXPECTED[kind])
        if not expected:
            return f"{details[0]['msg'][:1].lower()}{details[0]['msg'][1:]}, found {_shown(details[0]['input'])}."
        wanted = " or ".join(dict.fromkeys(expected))
        fields = fields_of(self._kinds_at(key))
        keys = f" with keys among {', '.join(fields)}" if "mapping" in wanted and fields else ""
        return f"expected {wanted}{keys}, found {_shown(details[0]['input'])}."

    def _unknown(self, key: Key) -> str:
        if dotted(key) in self._later:
            return self._later[dotted(key)]
        name, above = str(key[-1]), dotted(key[:-1])
        known = fields_of(self._kinds_at(key[:-1]))
        planned = {path.rpartition(".")[2]: path for path in self._later if path.rpartition(".")[0] == above}
        near = difflib.get_close_matches(name.lower(), [*known, *planned], n=1, cutoff=0.75)
        if not near:
            homes = [path for path in all_keys(self._model) if path[-1] == name]
            if len(homes) == 1:
                where = f"under '{dotted(homes[0][:-1])}'" if len(homes[0]) > 1 else "at the top level"
                return f"unknown key here; {name!r} belongs {where}."
            near = difflib.get_close_matches(name.lower(), [*known, *planned], n=1, cutoff=0.6)
        if not near:
            elsewhere = {str(path[-1]): dotted(path) for path in all_keys(self._model)}
            if far := difflib.get_close_matches(name.lower(), elsewhere, n=1, cutoff=0.75):
                return f"unknown key; did you mean {elsewhere[far[0]]!r}?"
            return f"unknown key; the keys here are {', '.join(known)}."
        self.meant.add((*key[:-1], near[0]))
        later = self._later[planned[near[0]]] if near[0] in planned else ""
        when = f" {later[:1].upper()}{later[1:]}" if later else ""
        return f"unknown key; did you mean {near[0]!r}?{when}"

    def _kinds_at(self, key: Key) -> list[Any]:
        return kinds_at(self._model, key, self._values)


def _choice(expected: str, given: Any) -> str:
    """`expected` lists the choices as Pydantic writes them: ``'a', 'b' or 'c'``."""
    choices = [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",") if part.strip()]
    near = difflib.get_close_matches(str(given).lower(), choices, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"expected one of {', '.join(choices)}, found {_shown(given)}{hint}"


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return str(value).lower()
        case str():
            return repr(value if len(value) <= 60 else f"{value[:57]}...")
        case int() | float():
            text = str(value) if isinstance(value, float) or abs(value) < 10**20 else "a very large number"
            return text
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"


def _booleans_for_numbers(values: Any, model: type[BaseModel], key: Key) -> Iterator[Key]:
    for path in _walk(values, key):
        if isinstance(_at(values, path), bool):
            kinds = set(kinds_at(model, path, values)) - {NoneType}
            if kinds and kinds <= {int, float}:
                yield path


def _walk(value: Any, key: Key) -> Iterator[Key]:
    yield key
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _walk(child, (*key, name))
    elif isinstance(value, list | tuple):
        for position, child in enumerate(value):
            yield from _walk(child, (*key, position))


def _at(value: Any, key: Key) -> Any:
    for part in key:
        value = value[part]
    return value


def in_short(error: ValueError) -> str:
    """The first thing that is wrong with a record, in one line: it was not written by hand."""
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])

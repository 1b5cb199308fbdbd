"""The values that a file may give the arguments of an estimator.

A file is data from a stranger. A text that it gives an argument could be a path, an address, the name of something to
import, or several arguments in one; so a text is taken only where it is one of those that the library lists.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automl.yaml_file import Key

__all__ = ["NUMBER", "NUMBERS", "PLAIN", "Argument", "each", "words"]


@dataclass(frozen=True)
class Argument:
    """The values that a file may give: numbers, booleans and null, and beside them what is listed here.

    Attributes:
        words: texts.
        pattern: which further texts are taken as a whole.
        nested: lists and mappings of such values, at any depth, are taken too.
        only: if there are any, nothing but these values is taken.
    """

    words: Collection[str] = ()
    pattern: re.Pattern[str] | None = None
    nested: bool = False
    only: tuple[Any, ...] = ()

    def refused(self, value: Any) -> tuple[Key, Any] | None:
        """The first value in `value` that is not taken, and the way to it; None if there is none."""
        return next(self._refused(value, ()), None)

    def _refused(self, value: Any, key: Key) -> Iterator[tuple[Key, Any]]:
        if self.only:
            if not any(value is one for one in self.only):
                yield key, value
        elif isinstance(value, str):
            if value not in self.words and (self.pattern is None or not self.pattern.fullmatch(value)):
                yield key, value
        elif value is None or isinstance(value, bool | int | float):
            return
        elif self.nested and isinstance(value, Mapping):
            for name, item in value.items():
                yield from self._refused(name, (*key, name))
                yield from self._refused(item, (*key, name))
        elif self.nested and isinstance(value, list | tuple):
            for index, item in enumerate(value):
                yield from self._refused(item, (*key, index))
        else:
            yield key, value


NUMBER = Argument()
NUMBERS = Argument(nested=True)
PLAIN = Argument(pattern=re.compile(r"[A-Za-z0-9_+-]{1,64}"), nested=True)
"""Of a plugin that lists nothing: texts without a dot, slash, colon, equals sign or blank, which are not paths,
import paths, addresses or assignments."""


def words(*texts: str, nested: bool = False) -> Argument:
    """An argument that takes one of `texts`."""
    return Argument(frozenset(texts), nested=nested)


def each(names: str, argument: Argument) -> dict[str, Argument]:
    """`argument` for each of `names`, which are separated by blanks."""
    return dict.fromkeys(names.split(), argument)

"""Characters that command a terminal, or hide what is in a text, are shown and not sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["visible", "visible_values"]

_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 except for tab and line feed, DEL, C1
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # direction, invisible, line separators
    "\ud800-\udfff"  # bytes of a file name that are not text
    "\U000e0000-\U000e007f]"  # tags
)
_BREAKS = re.compile(r"[\t\n]")
_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str, *, lines: bool = True) -> str:
    r"""`text` with what a terminal would obey written out, such as ``\x1b`` for the escape character.

    Args:
        lines: line feeds and tabs are the text's own layout. A name or a label has none.
    """
    text = _COMMANDS.sub(_written, text)
    return text if lines else _BREAKS.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible_values(value: Any) -> Any:
    """`value`, made of mappings and sequences, with every text in it as one visible line; keys as well."""
    if isinstance(value, str):
        return visible(value, lines=False)
    if isinstance(value, Mapping):
        return {visible_values(key): visible_values(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [visible_values(child) for child in value]
    return value

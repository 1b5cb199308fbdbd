"""Credentials never reach a record: URLs are written without them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["redact", "redact_text"]

_CREDENTIALS = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s@]*(?:@[^/?#\s@]*)*@")
_SECRET = re.compile(
    r"(?P<name>[?&;](?:[\w.-]*(?:token|secret|passw(?:or)?d|pwd|signature|credential|api[_-]?key|access[_-]?key)[\w.-]*"
    r"|sig|key|auth)=)[^&;#\s]*",
    re.IGNORECASE,
)


def redact_text(text: str) -> str:
    """`text` with user, password and secret query parameters of every URL in it replaced by ``***``."""
    if "://" not in text:
        return text
    return _SECRET.sub(r"\g<name>***", _CREDENTIALS.sub(r"\g<scheme>***@", text))


def redact(value: Any) -> Any:
    """`value`, made of plain mappings and lists, with every text redacted."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {key: redact(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [redact(child) for child in value]
    return value

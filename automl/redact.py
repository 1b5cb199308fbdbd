"""Credentials never reach a record or a log: URLs are written without them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["RedactingFormatter", "one_line", "redact", "redact_message", "redact_text"]

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
    return redact_message(text)


def redact_message(text: str) -> str:
    """The same for what libraries say, who often leave a URL's beginning out: ``/mlflow?token=...``."""
    return _SECRET.sub(r"\g<name>***", _CREDENTIALS.sub(r"\g<scheme>***@", text))


class RedactingFormatter(logging.Formatter):
    """Writes log records without credentials, those in a stack trace included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact_message(super().format(record))


def redact(value: Any) -> Any:
    """`value`, made of plain mappings and lists, with every text redacted."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {key: redact(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [redact(child) for child in value]
    return value


def one_line(error: BaseException) -> str:
    """The first line of an error's message, without credentials and without the final full stop."""
    text = str(error).strip() or type(error).__name__
    return redact_message(text.splitlines()[0].strip().rstrip("."))[:500]

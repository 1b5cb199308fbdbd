"""Credentials never reach a record or a log: URLs are written without user, password, query and fragment."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_plus

from automl.visible import visible

__all__ = [
    "RedactingFormatter",
    "one_line",
    "redact",
    "redact_message",
    "redact_text",
    "redact_url",
    "without_secrets",
]

_SLASHES = r"(?:://|:\\\\|:/\\|:\\/)"
_URL = re.compile(rf"(?<![A-Za-z])[A-Za-z][A-Za-z0-9+.-]*+{_SLASHES}[^\s\"'`<>|]*")
"""A URL in a text. It ends where no URL continues; backslashes are as good as slashes to many readers.

It is looked for at the first letter of a word alone: from each, a word of 50,000 letters would take seconds.
"""
_BEGIN = re.compile(rf"(?P<protocol>.*?)(?P<slashes>{_SLASHES})", re.DOTALL)
_WHOLE = re.compile(rf"\s*[\w.+:-]*{_SLASHES}")
"""The beginning of a text that is a URL as a whole, with whatever is in its password."""
_ODD = re.compile(r"(?P<begin>\b[A-Za-z][\w+.-]+:[/\\]|(?<!:)//)[^\s\"'@]*:[^\s\"']*@")
"""User and password where a slash or the protocol is missing."""
_RELATIVE = re.compile(r"(?P<path>(?<![^\s\"'(=:,])/[^\s\"'?#<>]*)[?][^\s\"'<>]+")
"""The part of a URL that libraries leave when they mention it: ``/mlflow?token=...``."""
_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.%]*\]|[^:]*)(?::\d*)?")
"""A host and perhaps a port, and nothing that may be the beginning of a password."""
_HOSTLESS = ("s3", "s3a", "gs", "gcs", "az", "file", "local", "sqlite")
"""Protocols of URLs whose first part is a bucket, or nothing: ``@`` behind it belongs to a file's name."""
_MARKS = ".,:;)}"
_END = f"{_MARKS}]"
_HIDDEN = "***"


def redact_url(url: str) -> str:
    """`url` without what may be secret: what is before the last ``@`` of its path, and all that follows the path.

    A slash in a password makes the rest of it look like a path, a question mark like a query: where ``@`` comes after
    either, it is impossible to tell where the host is, and only the protocol is left. A path is returned unchanged.

    Example:
        >>> redact_url("https://me:pa/ss@example.org/churn.csv?key=abc#top")
        'https://***@example.org/churn.csv'
    """
    begin = _BEGIN.match(url)
    if begin is None:
        return url
    protocol = begin["protocol"].strip()
    head = f"{protocol if re.fullmatch(r'[A-Za-z0-9_+.:-]*', protocol) else _HIDDEN}{begin['slashes']}"
    path, *cut = re.split(r"[?#]", url[begin.end() :].rstrip(), maxsplit=1)
    user, at, place = path.rpartition("@")
    if (cut and "@" in cut[0]) or not _PORT.fullmatch(re.split(r"[/\\]", place, maxsplit=1)[0]):
        return f"{head}{_HIDDEN}"
    if not at or (protocol in _HOSTLESS and ":" not in user and "/" in user):
        return head + path
    return f"{head}{_HIDDEN}@{place}"


def redact_text(text: str) -> str:
    """`text` with user, password, query and fragment of every URL in it left out."""
    if _WHOLE.match(text):
        return redact_url(text)
    return redact_message(text) if "//" in text or ":\\" in text or ":/" in text else text


def redact_message(text: str) -> str:
    """The same for what libraries say, which often omit a URL's beginning: ``/mlflow?token=...``."""
    return _RELATIVE.sub(r"\g<path>", _ODD.sub(rf"\g<begin>{_HIDDEN}@", _URL.sub(_redacted, text)))


def _redacted(found: re.Match[str]) -> str:
    """The URL redacted, without the marks of the sentence behind it: a comma would make its port invalid."""
    url = found[0].rstrip(_MARKS)
    if url.endswith("]") and "[" not in url:
        url = url.rstrip(_END)
    return redact_url(url) + found[0][len(url) :]


def without_secrets(text: str, url: str) -> str:
    """Return what a library says about `url`, or nothing where it quotes a part of it that may be secret."""
    text = redact_message(text.replace(url, redact_url(url)))
    hidden = [part for part in re.split(r"[/\\@:?#&=;\s]+", url) if part and part not in redact_url(url)]
    quoted = {form for part in hidden for form in (part, unquote(part), unquote_plus(part))}
    return "" if any(part in text for part in quoted) else text


class RedactingFormatter(logging.Formatter):
    """Writes log records without credentials, those in a stack trace included, and as text that commands no terminal.

    Text that could pass for a line of the log itself is indented.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return super().formatMessage(record).replace("\n", "\n  ")

    def format(self, record: logging.LogRecord) -> str:
        return visible(redact_message(super().format(record)))


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

"""The URLs that are read: of files, of servers and of the large object stores."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from automl.errors import DataError
from automl.redact import redact_url
from automl.visible import visible

__all__ = ["HTTP", "is_url", "local_file", "protocol_of", "told"]

HTTP = frozenset({"http", "https"})
_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
_FILES = frozenset({"file", "local"})
_URL = re.compile(r"(?P<protocol>[A-Za-z][A-Za-z0-9+.-]*)://")


def told(location: str) -> str:
    """A path or a URL as messages call it: on one line, without what may be secret or command a terminal."""
    return visible(redact_url(location).replace("***@", ""), lines=False)


def is_url(source: str) -> bool:
    """Tell whether a text is not a path: chained ones, such as ``zip://a.csv::https://...``, count as well."""
    return "://" in source


def protocol_of(url: str) -> str:
    """The protocol of a URL, in lower case.

    Other filesystems that fsspec knows run programs, log into machines, or look into archives of any size; an
    experiment file should not choose them.

    Raises:
        DataError: it is none of those that are read.
    """
    found = _URL.match(url)
    protocol = found["protocol"].lower() if found else ""
    if protocol not in HTTP | _STORES | _FILES or (protocol not in HTTP and "::" in url):
        raise DataError(
            f"Cannot read {told(url)}: data is read from paths, and from URLs that begin with "
            f"{', '.join(f'{name}://' for name in ('file', 'http', 'https', 's3', 'gs', 'abfs', 'az'))}. Copy it to "
            "one of these."
        )
    if protocol in HTTP:
        _require_valid(url)
    return protocol


def _require_valid(url: str) -> None:
    """A slash in a password, say, makes a part of it the port, and another a part of the path."""
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0 and "\\" not in url and url.isprintable()
    except ValueError:
        valid = False
    if not valid or " " in parts.netloc or "@" in parts.path.partition("/")[0]:
        raise DataError(
            f"Cannot read {told(url)}: it is not a valid URL. In a name or a password, write %2F for a slash, %40 "
            "for @, %3F for a question mark and %23 for #."
        )


def local_file(url: str) -> str | None:
    """The path that a ``file://`` URL means, None for any other URL.

    Raises:
        DataError: it names another machine, or a path that does not begin at the root.
    """
    if protocol_of(url) not in _FILES:
        return None
    path = url.partition("://")[2].removeprefix("localhost")
    if not path.startswith("/"):
        raise DataError(f"Cannot read {told(url)}: such a URL has three slashes, as in file:///folder/churn.csv.")
    return unquote(path)

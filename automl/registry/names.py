"""Names of registered models, and how their folders are called."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

__all__ = ["check_name", "folder_name"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,199}")
_LONGEST = 100


def check_name(name: str) -> str:
    """`name`, if it can name a registered model here and in MLflow.

    Raises:
        ValueError: it cannot. Says what can.
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise ValueError(
            f"{name!r} cannot name a registered model: use letters, digits, '.', '_', '-' and spaces between them, "
            "beginning with a letter or a digit"
        )
    return name


def folder_name(name: str) -> str:
    """A folder's name for any text, a different one for each, even where a file system treats ``A`` as ``a``."""
    quoted = quote(name, safe=" ").rstrip(" .")
    if quoted and quoted == name.lower() and len(quoted) <= _LONGEST and not quoted.startswith("."):
        return quoted
    return f"{quoted.lstrip('.')[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"

"""The places of a user's caches: what can be made again, and is not of one workspace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["user_cache"]


def user_cache() -> Path:
    """``AUTOML_CACHE_DIR``, or automl's folder in the user's cache directory. It need not be there."""
    own = os.environ.get("AUTOML_CACHE_DIR")
    if own:
        return Path(own).expanduser().absolute()
    if sys.platform == "darwin":
        base = "~/Library/Caches"
    elif sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(base).expanduser() / "automl"
    except RuntimeError:  # no home
        return Path(base) / "automl"

"""Lengths of time as people write them. Standard library only: a budget is read before anything else is imported."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["parse_duration"]

_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|min|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|min|s|m|h|d)")


def parse_duration(value: Any) -> Any:
    """Seconds from ``90``, ``"90s"``, ``"500ms"`` or ``"2h30m"``.

    Raises:
        ValueError: the text is not a duration, or is not positive.
    """
    if isinstance(value, str):
        text = value.replace(" ", "").lower()
        if re.fullmatch(r"\d+(\.\d+)?", text):
            value = float(text)
        elif _DURATION.fullmatch(text):
            value = sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(text))
        else:
            raise ValueError(f"{value!r} is not a duration; write seconds, or '90s', '10m', '2h30m'")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"{value!r} is not a duration; write a positive number of seconds, or '90s', '10m', '2h30m'")
    return float(value)

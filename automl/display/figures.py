"""Numbers as people read them."""

from __future__ import annotations

import math
import textwrap
from typing import Any

from automl.visible import visible

__all__ = ["cell", "clock", "digest", "folded", "latency", "score", "size"]

_DIGITS = 12
"""Of a hash: enough to tell two apart; ``--json`` has them all."""


def clock(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``1:05`` (minutes) or ``2:03:10`` (hours)."""
    if not math.isfinite(seconds):
        return "∞"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def latency(seconds: float) -> str:
    """``0.25 ms``, ``12 ms``, ``1.2 s``: two or three digits that matter."""
    value, unit = (seconds, "s") if seconds >= 0.9995 else (seconds * 1e3, "ms")
    digits = 0 if value >= 99.5 else 1 if value >= 9.95 else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def size(count: float) -> str:
    """Bytes in binary units: ``512 B``, ``4.2 MB``."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError


def score(value: float | None) -> str:
    """Four digits after the point, six significant ones for the very large and the very small, ``–`` for none."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.6g}"


def digest(text: str) -> str:
    """The beginning of a hash."""
    return f"{text[:_DIGITS]}…" if len(text) > _DIGITS else text


def cell(value: Any) -> str:
    """Any value of a table."""
    if value is None or value != value or type(value).__name__ == "NAType":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else visible(str(value), lines=False)


def folded(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, at least one; a longer word, such as a path, stays whole to be copied."""
    lines = (textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) for line in text.splitlines())
    return [piece for pieces in lines for piece in pieces or [""]] or [""]

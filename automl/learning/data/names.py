"""Names of columns: as text, each once, and what the user may have meant by another."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from difflib import get_close_matches

from automl.visible import visible

__all__ = ["as_names", "nearest", "some", "unique_names"]


def as_names(labels: Iterable[Hashable]) -> list[str]:
    """Labels of any type as text without blanks around it; the levels of a tuple are joined by ``_``."""
    return ["_".join(map(str, label)) if isinstance(label, tuple) else str(label).strip() for label in labels]


def unique_names(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The names with ``.1``, ``.2``... after repeated ones, as pandas does; and which were repeated."""
    taken, seen, repeated = set(names), set[str](), dict[str, int]()
    result = []
    for name in names:
        fresh = name
        while fresh in seen or (fresh != name and fresh in taken):
            repeated[name] = repeated.get(name, 0) + 1
            fresh = f"{name}.{repeated[name]}"
        seen.add(fresh)
        result.append(fresh)
    return result, tuple(repeated)


def nearest(name: str, names: Sequence[str]) -> str:
    """`` Did you mean 'x'?``, or nothing when no name comes close."""
    lowered = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f" Did you mean {lowered[close[0]]!r}?" if close else ""


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(visible(name, lines=False) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

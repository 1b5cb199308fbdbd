"""The search spaces that automl ships."""

from __future__ import annotations

from pathlib import Path

from automl.errors import SpaceError

__all__ = ["shipped_space", "shipped_spaces"]

_PACKAGE = Path(__file__).resolve().parents[2]


def shipped_spaces() -> dict[str, Path]:
    """{file stem: path}: inside the package of an installed wheel, beside it in a checkout."""
    for folder in (_PACKAGE / "search_spaces", _PACKAGE.parent / "search_spaces"):
        if found := sorted(folder.glob("*.yaml")):
            return {path.stem: path for path in found}
    return {}


def shipped_space(task: str) -> Path:
    """The space for `task`: ``tabular_<task>.yaml`` or ``<task>.yaml``.

    Raises:
        SpaceError: none is shipped.
    """
    spaces = shipped_spaces()
    for stem in (f"tabular_{task}", task):
        if stem in spaces:
            return spaces[stem]
    raise SpaceError(
        f"no search space is shipped for the task {task!r}: write one, inline or in a file", key="search.space"
    )

"""A few raw rows or pictures on disk: what a registered model is checked on, and shows what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from automl.learning.data.form import form_of

if TYPE_CHECKING:
    from automl.learning.data.table import Features

__all__ = ["write_example"]


def write_example(X: Features, path: Path) -> Path:
    """Write the first five rows of `X` to `path`, whose suffix depends on them, and return where they are."""
    return form_of(X).write_example(X.head(5), path)

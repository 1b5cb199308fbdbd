"""Pictures, in one array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.errors import WorkspaceError
from automl.learning.data.form import Form
from automl.learning.data.images.images import Images
from automl.learning.data.kinds import Column, ImageColumn
from automl.learning.data.whole_file import replacing

if TYPE_CHECKING:
    from automl.learning.data.form import RowHashes

__all__ = ["PictureForm"]


class PictureForm(Form):
    """`Images`, whose only column is an `ImageColumn`."""

    file = "images.npy"

    def layout(self, X: Images) -> str:
        return "image\x1e{}x{}x{}".format(*X.shape[1:])

    def hashes(self, X: Images) -> np.ndarray:
        return X.hashes()

    def parts(self, X: Images) -> Sequence[RowHashes]:
        """A picture is hashed whole."""
        return [lambda rows: X.hashes()[rows]]

    def single_columns(self, X: Images) -> None:
        """None: a pixel means something beside others."""
        return None

    def concat(self, first: Images, second: Images) -> Images:
        return Images(np.concatenate([first.pixels, second.pixels]))

    def align(self, X: Any, columns: Sequence[Column]) -> Images:
        from automl.learning.data.images.convert import as_images

        return as_images(X, _picture(columns))

    def describe(self, columns: Sequence[Column], n_rows: int) -> dict[str, str]:
        column = _picture(columns)
        colour = "grey" if column.channels == 1 else "in colour"
        return {"pictures": f"{n_rows:,} of {column.height} x {column.width}, {colour}"}

    def write(self, X: Images, directory: Path) -> None:
        with replacing(directory / self.file) as temporary, temporary.open("wb") as file:
            np.save(file, X.pixels, allow_pickle=False)

    def read(self, directory: Path) -> Images:
        """Mapped into memory."""
        path = directory / self.file
        try:
            return Images(np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray))
        except (OSError, ValueError, EOFError) as error:
            raise WorkspaceError(f"Cannot read {path}: {error}.") from error

    def write_example(self, X: Images, path: Path) -> Path:
        """One array, ``.npy``."""
        place = path.with_suffix(".npy")
        np.save(place, X.pixels)
        return place


def _picture(columns: Sequence[Column]) -> ImageColumn:
    (column,) = columns
    assert isinstance(column, ImageColumn)
    return column

"""The base of the views of pictures."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np

from automl.learning.data.images.images import Images
from automl.learning.data.kinds import ImageColumn
from automl.learning.features.base import View
from automl.learning.features.images.pooling import boxes, pool

__all__ = ["ImageView"]

_AT_ONCE = 2**20
"""Numbers that a step works on: what fits into a core's cache is worked on several times as fast."""
_SAMPLE = 2_000
"""Training pictures that scales are learned from."""


class ImageView(View):
    """Pictures to a float32 matrix, a few at a time: memory does not grow with their number.

    Larger pictures are shrunk first (`side`), by means over blocks: the width of the matrix, and the time for a
    picture, are bounded.

    Attributes:
        n_features_: columns of the matrix.
    """

    rows: ClassVar[str] = "pictures"
    prefix: ClassVar[str]
    side: ClassVar[int]
    """Pixels of a picture's longer side at most."""
    n_features_: int

    def fit(self, X: Images, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> Self:
        self.categorical_indices_ = []
        self._windows = _shrinking(*self._column.shape[:2], self.side)
        self._learn(X)
        self._mean, self._factor = np.float32(0), np.float32(1)
        rows = np.unique(np.linspace(0, len(X) - 1, _SAMPLE).astype(np.int64))
        sample = self._describe_all(X.take(rows))
        self._mean, spread = self._scale(sample)
        self._factor = 1 / spread
        return self

    def transform(self, X: Images) -> np.ndarray:
        """float32, shape (n, n_features_)."""
        return self._describe_all(X)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        return np.array([f"{self.prefix}{i}" for i in range(self.n_features_)], dtype=object)

    @property
    def _column(self) -> ImageColumn:
        (column,) = self.columns
        assert isinstance(column, ImageColumn)
        return column

    @property
    def _shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the pictures that `_describe` gets."""
        rows, columns = self._windows
        return len(rows), len(columns), self._column.channels

    @abstractmethod
    def _learn(self, X: Images) -> None:
        """Set `n_features_`, and whatever the training pictures teach."""

    @abstractmethod
    def _describe(self, pictures: np.ndarray) -> np.ndarray:
        """A new array, float32 (n, n_features_), of pictures as `_shrunk` gives them, which may be overwritten."""

    @property
    def _work(self) -> int:
        """Numbers that describing one picture takes at the same time, besides the picture itself."""
        return self.n_features_

    def _scale(self, sample: np.ndarray) -> tuple[Any, Any]:
        """Return what to subtract from the matrix, and to divide it by: here one number for all columns."""
        return sample.mean(dtype=np.float64).astype(np.float32), np.maximum(sample.std(dtype=np.float64), 1e-6).astype(
            np.float32
        )

    def _describe_all(self, X: Images) -> np.ndarray:
        result = np.empty((len(X), self.n_features_), dtype=np.float32)
        start = 0
        for pictures in self._shrunk(X):
            described = self._describe(pictures)
            np.subtract(described, self._mean, out=described)
            np.multiply(described, self._factor, out=result[start : start + len(pictures)])
            start += len(pictures)
        return result

    def _shrunk(self, X: Images) -> Iterator[np.ndarray]:
        """The pictures a few at a time, as float32 from 0 to 255, shape (some, *_shape)."""
        size = max(1, _AT_ONCE // max(self._work, math.prod(self._column.shape)))
        for start in range(0, len(X), size):
            pictures = X.pixels[start : start + size].astype(np.float32)
            yield pictures if pictures.shape[1:] == self._shape else pool(pictures, *self._windows)


def _shrinking(height: int, width: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows that make pictures of `height` x `width` no larger than `side`, and keep their proportions."""
    factor = min(1.0, side / max(height, width))
    rows, columns = (max(1, round(length * factor)) for length in (height, width))
    return boxes(height, rows), boxes(width, columns)

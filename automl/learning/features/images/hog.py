"""Histograms of oriented gradients: which way the edges run in each part of a picture.

After Dalal & Triggs (2005), "Histograms of oriented gradients for human detection", with the compact normalisation of
Felzenszwalb et al. (2010), "Object detection with discriminatively trained part-based models", section 6: every cell
stands once, as the mean over its normalisations by the four blocks around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from automl.learning.features.images.base import ImageView
from automl.learning.features.images.pooling import hats, pool

if TYPE_CHECKING:
    from automl.learning.data.images.images import Images

__all__ = ["HogView"]

_BINS = 9
"""Directions over half a turn: a dark line on light ground is the same as a light one on dark."""
_CELL = 4
"""Pixels of a cell's side, where the picture is small."""
_MOST_CELLS = 8
"""Cells along a side at most: those of larger pictures are larger."""
_LARGEST = 0.2
"""Normalised values are cut off here: a single strong edge does not drown the others (Dalal & Triggs, L2-Hys)."""
_NOISE = 16.0
"""Squared gradient (steps of 1/255) below which a block is taken for even."""


class HogView(ImageView):
    """Nine directions for each cell of a grid of up to 8 x 8, normalised by the contrast around it."""

    prefix = "hog"
    side = 64

    def _learn(self, X: Images) -> None:
        height, width, _ = self._shape
        self._cells = tuple(hats(length, _cells(length)) for length in (height, width))
        self.n_features_ = len(self._cells[0]) * len(self._cells[1]) * _BINS

    @property
    def _work(self) -> int:
        height, width, _ = self._shape
        return height * width * _BINS

    def _describe(self, pictures: np.ndarray) -> np.ndarray:
        magnitude, direction = _gradients(pictures)
        maps = np.abs(direction[..., None] - np.arange(_BINS, dtype=np.float32))
        np.minimum(maps, _BINS - maps, out=maps)  # half a turn leads back to the first direction
        np.subtract(1, maps, out=maps)
        np.maximum(maps, 0, out=maps)
        maps *= magnitude[..., None]
        histograms = pool(maps, *self._cells)
        return _normalised(histograms).reshape(len(pictures), -1)


def _cells(length: int) -> int:
    return min(_MOST_CELLS, max(1, round(length / _CELL)))


def _gradients(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Size, and direction in bins from 0 to _BINS, of the steepest channel's gradient; both (n, height, width)."""
    down, right = (_differences(pictures, axis) for axis in (1, 2))
    energy = down * down + right * right
    steepest = energy.argmax(axis=3)[..., None] if pictures.shape[3] > 1 else None
    parts = [part if steepest is None else np.take_along_axis(part, steepest, 3) for part in (down, right, energy)]
    down, right, energy = (part[..., 0] for part in parts)
    direction = np.arctan2(down, right) * np.float32(_BINS / np.pi)
    direction[direction < 0] += _BINS
    return np.sqrt(energy), direction


def _differences(pictures: np.ndarray, axis: int) -> np.ndarray:
    """Central differences; at the border to the pixel itself."""
    last = pictures.shape[axis] - 1
    after = np.minimum(np.arange(last + 1) + 1, last)
    before = np.maximum(np.arange(last + 1) - 1, 0)
    steps: np.ndarray = np.take(pictures, after, axis) - np.take(pictures, before, axis)
    return steps


def _normalised(histograms: np.ndarray) -> np.ndarray:
    """Each cell divided by the size of every block of 2 x 2 cells that it is in, cut off, and averaged."""
    energy = np.pad((histograms * histograms).sum(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    blocks = energy[:, :-1, :-1] + energy[:, :-1, 1:] + energy[:, 1:, :-1] + energy[:, 1:, 1:]
    factor = 1 / np.sqrt(blocks + np.float32(_NOISE))
    corners = (factor[:, :-1, :-1], factor[:, :-1, 1:], factor[:, 1:, :-1], factor[:, 1:, 1:])
    result: np.ndarray = sum(np.minimum(histograms * corner[..., None], _LARGEST) for corner in corners) / 4
    return result

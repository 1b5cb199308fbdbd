"""The numeric view of pictures: every pixel a column."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from automl.learning.features.images.base import ImageView

if TYPE_CHECKING:
    from automl.learning.data.images.images import Images

__all__ = ["FlatView"]


class FlatView(ImageView):
    """Pixels row by row, on one scale: a pixel's size says something beside its neighbours', so each keeps it."""

    prefix = "pixel"
    side = 32

    def _learn(self, X: Images) -> None:
        self.n_features_ = math.prod(self._shape)

    def _describe(self, pictures: np.ndarray) -> np.ndarray:
        return pictures.reshape(len(pictures), -1)

"""The view of nets: pictures as they are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from automl.learning.features.base import View

if TYPE_CHECKING:
    from automl.learning.data.images.images import Images

__all__ = ["PixelsView"]


class PixelsView(View):
    """uint8 pixels, neither copied nor scaled: scaling and augmentation are a net's own."""

    rows: ClassVar[str] = "pictures"

    def fit(self, X: Images, y: np.ndarray | None = None, weight: np.ndarray | None = None) -> PixelsView:
        self.categorical_indices_ = []
        self.shape_ = X.shape[1:]
        return self

    def transform(self, X: Images) -> np.ndarray:
        """uint8, shape (n, height, width, channels)."""
        return X.pixels

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        return np.array([f"pixel{i}" for i in range(math.prod(self.shape_))], dtype=object)

"""Responses to random patches: a one-layer convolutional net whose filters are cut out of the training pictures.

After Coates & Ng (2011), "The importance of encoding versus training with sparse coding and vector quantization":
patches are normalised and whitened, random ones of them are the filters, a response that exceeds a threshold counts
(one feature for each sign), and responses are averaged over the parts of the picture. Nothing is trained, so it costs
seconds, and a linear model on top of it is strong.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.learning.features.images.base import ImageView
from automl.learning.features.images.pooling import boxes, pool

if TYPE_CHECKING:
    from automl.learning.data.images.images import Images

__all__ = ["PatchesView"]

_WIDTH = 2_048
"""Columns of the matrix: two for each filter and part of the picture."""
_GRID = 3
"""Parts along each side over which responses are averaged."""
_LARGEST_PATCH = 6
_POSITIONS = 28
"""Places along a side at which a patch is looked at, at most: on larger pictures not at every pixel."""
_DRAWN, _DRAWN_FROM = 20_000, 2_000
"""Patches that the whitening is learned from, and pictures that they are cut out of."""
_EVEN = 10.0
"""Added to a patch's variance (steps of 1/255): an even one is not blown up to noise (Coates & Ng, section 3.1)."""
_WHITENING = 0.1
"""Added to the variance along each direction, where patches are normalised (the same section)."""
_THRESHOLD = 0.25
"""The threshold of a response, in the size of a filter's response to white noise."""
_FLOOR = 0.05
"""A column's spread counts as this share of the largest one at least: what hardly ever varies is not blown up."""


class PatchesView(ImageView):
    """About 2,000 columns whatever the pictures, each on one scale."""

    prefix = "patch"
    side = 48

    def _learn(self, X: Images) -> None:
        height, width, channels = self._shape
        self._size = max(1, min(_LARGEST_PATCH, min(height, width) // 4))
        places = [length - self._size + 1 for length in (height, width)]
        self._step = math.ceil(max(places) / _POSITIONS)
        self._grid = tuple(boxes(count, min(_GRID, count)) for count in (-(-place // self._step) for place in places))
        self._values = self._size**2 * channels
        per_filter = 2 * len(self._grid[0]) * len(self._grid[1])
        self._filters = max(1, _WIDTH // per_filter)
        self.n_features_ = self._filters * per_filter
        draw = np.random.default_rng(0)
        self._weights, self._bias = _filters(self._drawn(X, draw), self._filters, draw)

    @property
    def _work(self) -> int:
        places = self._grid[0].shape[1] * self._grid[1].shape[1]
        return int(places) * max(self._values, self._filters)

    def _describe(self, pictures: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(pictures, (self._size, self._size), axis=(1, 2))
        windows = windows[:, :: self._step, :: self._step]
        shape = windows.shape[:3]
        patches = windows.reshape(math.prod(shape), -1)
        responses = patches @ self._weights
        responses *= _contrast(patches)[:, None]
        above = responses - (self._bias + _THRESHOLD)
        below = np.subtract(self._bias - _THRESHOLD, responses, out=responses)
        both = [pool(np.maximum(part, 0, out=part).reshape(*shape, -1), *self._grid) for part in (above, below)]
        return np.concatenate(both, axis=3).reshape(len(pictures), -1)

    def _scale(self, sample: np.ndarray) -> tuple[Any, Any]:
        spread = sample.std(axis=0)
        floor = max(_FLOOR * float(spread.max()), 1e-6)
        return sample.mean(axis=0), np.maximum(spread, floor)

    def _drawn(self, X: Images, draw: np.random.Generator) -> np.ndarray:
        """float32, shape (_DRAWN, values of a patch): patches from random places of random pictures."""
        pictures = np.concatenate(list(self._shrunk(X.take(draw.integers(len(X), size=_DRAWN_FROM)))))
        height, width, _ = self._shape
        which = np.arange(_DRAWN) % len(pictures)
        top = draw.integers(height - self._size + 1, size=_DRAWN)
        left = draw.integers(width - self._size + 1, size=_DRAWN)
        offset = np.arange(self._size)
        rows, columns = top[:, None, None] + offset[:, None], left[:, None, None] + offset
        patches = pictures[which[:, None, None], rows, columns]  # (_DRAWN, size, size, channels)
        drawn: np.ndarray = np.moveaxis(patches, 3, 1).reshape(_DRAWN, -1)
        return drawn


def _contrast(patches: np.ndarray) -> np.ndarray:
    """One over the standard deviation of each row."""
    mean = patches.mean(axis=1)
    variance = np.einsum("ij,ij->i", patches, patches) / patches.shape[1] - mean * mean
    result: np.ndarray = 1 / np.sqrt(np.maximum(variance, 0) + np.float32(_EVEN))
    return result


def _filters(patches: np.ndarray, count: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return what maps patches to responses: weights (values, count), for patches times their contrast, and bias."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    uneven = np.flatnonzero((centred * centred).mean(axis=1) > _EVEN)
    normal = (centred * _contrast(patches)[:, None])[uneven if len(uneven) else slice(None)].astype(np.float64)
    mean = normal.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(normal, rowvar=False).reshape(normal.shape[1], -1))
    whitening = directions / np.sqrt(np.maximum(variances, 0) + _WHITENING) @ directions.T
    chosen = (normal[draw.integers(len(normal), size=count)] - mean) @ whitening
    chosen /= np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-6)
    weights = whitening @ chosen.T
    bias = mean @ weights
    # A patch's own mean is subtracted by taking it out of the weights.
    return (weights - weights.mean(axis=0)).astype(np.float32), bias.astype(np.float32)

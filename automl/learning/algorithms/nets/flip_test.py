"""A test of whether a picture may be mirrored without changing its class: a cat may, a digit may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["may_be_mirrored"]

_PICTURES = 4_000
"""Pictures that are looked at: half to learn from, half to be asked about."""
_AT_ONCE = 64
"""Large ones would take gigabytes together."""
_SIDE = 16
_KEPT = 0.8
"""Share of what a model knows about pictures that it must still know about their mirror images."""
_PENALTY = 0.1
"""The penalty of a ridge regression on standardised values, per picture: coarse, like what it is to see."""


def may_be_mirrored(pixels: Tensor, codes: np.ndarray, seed: int) -> bool:
    """Tell whether a linear model of the pictures knows their mirror images nearly as well.

    It is asked about pictures that it was not trained on, as they are and mirrored. Where it knows nothing about
    either, the answer is yes: most things in the world may face either way.

    Args:
        pixels: uint8, shape (n, height, width, channels), of training.
        codes: int64, shape (n,).
        seed: of the choice of pictures.
    """
    rows = np.random.default_rng(seed).permutation(len(codes))[:_PICTURES]
    learned, asked = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    if len(learned) < 2:
        return True
    upright = _coarse(pixels, learned)
    mean, scale = upright.mean(axis=0), upright.std(axis=0) + 1e-6
    weights = _ridge((upright - mean) / scale, np.eye(int(codes.max()) + 1)[codes[learned]])

    def right(mirrored: bool) -> float:
        scores = (_coarse(pixels, asked, mirrored=mirrored) - mean) / scale @ weights[1:] + weights[0]
        return float(np.mean(scores.argmax(axis=1) == codes[asked]))

    chance = float(np.bincount(codes[asked]).max() / len(asked))
    known = right(mirrored=False) - chance
    error = float(np.sqrt(0.25 / len(asked)))
    return right(mirrored=True) - chance >= _KEPT * known - error


def _coarse(pixels: Tensor, rows: np.ndarray, *, mirrored: bool = False) -> np.ndarray:
    """float64, shape (len(rows), d): the pictures, no larger than 16 x 16."""
    height, width = pixels.shape[1:3]
    parts = []
    for some in torch.as_tensor(rows).split(_AT_ONCE):
        pictures = pixels[some].permute(0, 3, 1, 2).float()
        if mirrored:
            pictures = pictures.flip(3)
        parts.append(functional.adaptive_avg_pool2d(pictures, (min(height, _SIDE), min(width, _SIDE))))
    values: np.ndarray = torch.cat(parts).flatten(1).double().numpy()
    return values


def _ridge(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Intercepts, then weights, shape (1 + d, k), for standardised `X`."""
    means = Y.mean(axis=0)
    gram = X.T @ X + _PENALTY * len(X) * np.eye(X.shape[1])
    return np.vstack([means, np.linalg.solve(gram, X.T @ (Y - means))])

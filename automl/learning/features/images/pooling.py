"""Means over windows of a picture, as two small matrix products."""

from __future__ import annotations

import numpy as np

__all__ = ["boxes", "hats", "pool"]


def boxes(length: int, parts: int) -> np.ndarray:
    """Windows side by side: float32, shape (parts, length), rows summing to 1. `parts` is at most `length`."""
    owner = np.arange(length) * parts // length
    return _normalised(owner == np.arange(parts)[:, None])


def hats(length: int, parts: int) -> np.ndarray:
    """Windows that overlap by half and fall off linearly from their middle: what is between two counts for both."""
    step = length / parts
    middles = (np.arange(parts)[:, None] + 0.5) * step
    return _normalised(np.maximum(0.0, 1.0 - np.abs(np.arange(length) + 0.5 - middles) / step))


def _normalised(weights: np.ndarray) -> np.ndarray:
    result: np.ndarray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def pool(maps: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Weighted means of `maps`.

    Args:
        maps: float32, contiguous, shape (n, height, width, channels).
        rows: windows over the height, shape (r, height).
        columns: windows over the width, shape (q, width).

    Returns:
        float32, shape (n, r, q, channels).
    """
    n, height, width, channels = maps.shape
    over_rows = np.matmul(rows, maps.reshape(n, height, width * channels))
    result: np.ndarray = np.matmul(columns, over_rows.reshape(n, len(rows), width, channels))
    return result

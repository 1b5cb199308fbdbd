"""A residual net of nine layers, made for one cycle over few epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from automl.learning.algorithms.nets.blocks import Largest, Layered, Scaled, halvings, normalised

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ResNet9"]


class ResNet9(Layered):
    """ResNet-9 by width (Page 2018, "How to train your ResNet", part 4): four convolutions that double the channels,
    two pairs of them around which there is a way straight through, the largest value over all places, scaled scores.

    Pooling comes before normalisation: what follows a convolution then has a quarter of the work.

    Args:
        in_channels: of the pictures.
        n_classes: of the scores.
        image_size: (height, width); larger ones are averaged down first.
        width: channels of the first convolution, an eighth of the last one's.
        scale: of the scores.
    """

    def __init__(
        self,
        in_channels: int = 3,
        n_classes: int = 10,
        image_size: Sequence[int] = (32, 32),
        *,
        width: int = 32,
        scale: float = 1 / 8,
    ) -> None:
        times, w = halvings(image_size), width
        super().__init__(
            nn.AvgPool2d(2**times, ceil_mode=True) if times else nn.Identity(),
            *normalised(in_channels, w),
            *normalised(w, 2 * w, pool=True),
            _Around(2 * w),
            *normalised(2 * w, 4 * w, pool=True),
            *normalised(4 * w, 8 * w, pool=True),
            _Around(8 * w),
            Largest(),
            nn.Linear(8 * w, n_classes, bias=False),
            Scaled(scale),
        )


class _Around(nn.Module):
    """Two convolutions, and a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(*normalised(channels, channels), *normalised(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.inner(x)
        return x + changed

"""The parts that several nets are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Largest", "Layered", "Scaled", "convolution", "halvings", "normalised"]

_SIDE = 40
"""Pixels of the longer side up to which a net looks at every one of them in its first layers."""


def convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Module:
    """One that keeps the size but for `stride`, without a bias: a normalisation follows."""
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)


def normalised(inputs: int, outputs: int, *, stride: int = 1, pool: bool = False) -> list[nn.Module]:
    """3 x 3 convolution, batch normalisation, ReLU; with `pool` the largest of 2 x 2 values goes into the last two.

    Pooling as soon as that: what comes behind has a quarter of the work.
    """
    layers = [convolution(inputs, outputs, stride=stride)]
    if pool:
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return [*layers, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def halvings(image_size: Sequence[int]) -> int:
    """Return how often a picture is to be halved before its longer side is at most 40 pixels.

    Large ones then cost no more time than the small ones that the nets are made for.
    """
    times, side = 0, max(image_size)
    while side > _SIDE:
        times, side = times + 1, (side + 1) // 2
    return times


class Layered(nn.Module):
    """A net that is one layer after another.

    Attributes:
        WIDTHS: how wide a net can be whose ``width`` is ``auto``, from the narrowest.
    """

    WIDTHS: ClassVar[tuple[int, ...]] = (16, 32, 64)

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores (b, n_classes) for float32 (b, channels, height, width)."""
        scores: Tensor = self.layers(pictures)
        return scores


class Largest(nn.Module):
    """The largest value of each channel over all places. Unlike AdaptiveMaxPool2d it repeats its bits on a GPU, too."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(dim=(2, 3))


class Scaled(nn.Module):
    """Scores times a constant: with few steps, smaller ones keep the softmax from being sure too early."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, scores: Tensor) -> Tensor:
        return scores * self.factor

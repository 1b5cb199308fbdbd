"""Residual nets by width and depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from automl.learning.algorithms.nets.blocks import Layered, convolution, halvings, normalised

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ResNet"]


class ResNet(Layered):
    """A wide residual net (Zagoruyko & Komodakis 2016, arXiv:1605.07146) with pre-activation (He et al. 2016,
    arXiv:1603.05027): three stages of blocks, the second and the third with half the resolution and twice the width of
    the one before.

    Args:
        in_channels: of the pictures.
        n_classes: of the scores.
        image_size: (height, width); larger ones are halved first, by convolutions with stride 2.
        width: channels of the first stage. 16 times k is a wide residual net's k.
        depth: blocks per stage, of two convolutions each.
        dropout: probability with which one of the last channels is left out while training.
    """

    def __init__(
        self,
        in_channels: int = 3,
        n_classes: int = 10,
        image_size: Sequence[int] = (32, 32),
        *,
        width: int = 32,
        depth: int = 1,
        dropout: float = 0.0,
    ) -> None:
        layers: list[nn.Module] = []
        for _ in range(halvings(image_size)):
            layers += normalised(in_channels, width, stride=2)
            in_channels = width
        layers.append(convolution(in_channels, width))
        inputs = width
        for stage in range(3):
            outputs = width * 2**stage
            for block in range(depth):
                layers.append(_Block(inputs, outputs, stride=2 if stage > 0 and block == 0 else 1))
                inputs = outputs
        layers += [nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        layers += [nn.Dropout(dropout), nn.Linear(inputs, n_classes)]
        super().__init__(*layers)


class _Block(nn.Module):
    """Normalise, rectify, convolve, twice, beside a way that changes nothing, or only the shape."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True))
        self.inner = nn.Sequential(
            convolution(inputs, outputs, stride=stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            convolution(outputs, outputs),
        )
        is_same = inputs == outputs and stride == 1
        self.shortcut = None if is_same else convolution(inputs, outputs, kernel=1, stride=stride)
        nn.init.zeros_(self.inner[3].weight)  # each block begins as the identity (Goyal et al. 2017, section 5.1)

    def forward(self, x: Tensor) -> Tensor:
        ready = self.before(x)
        same: Tensor = x if self.shortcut is None else self.shortcut(ready)
        return same + self.inner(ready)

"""A plain convolutional net."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from automl.learning.algorithms.nets.blocks import Layered, halvings, normalised

__all__ = ["ConvNet"]


class ConvNet(Layered):
    """Three blocks of 3 x 3 convolutions with batch normalisation, each twice as wide as the one before, with pooling
    between them; the mean over all places, and a linear layer. The VGG pattern (Simonyan & Zisserman 2015) in small.

    Args:
        in_channels: of the pictures.
        n_classes: of the scores.
        image_size: (height, width); larger ones are halved first, by convolutions with stride 2.
        width: channels of the first block.
        depth: convolutions per block.
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
        for block in range(3):
            outputs = width * 2**block
            for at in range(depth):
                pools = block < 2 and at == depth - 1
                layers += normalised(in_channels, outputs, pool=pools)
                in_channels = outputs
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(in_channels, n_classes)]
        super().__init__(*layers)

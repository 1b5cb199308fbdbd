"""The small net of PyTorch's first tutorial on pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SmallNet"]

_SMALLEST = 16
"""Pixels of the shorter side from which two 5 x 5 convolutions without padding and two poolings leave something."""


class SmallNet(nn.Module):
    """Two 5 x 5 convolutions with pooling, three linear layers: LeNet-5 (LeCun et al. 1998) with ReLU and max pooling.

    As in "Training a Classifier" of PyTorch's tutorials, for any size and number of channels and classes.

    Args:
        in_channels: of the pictures.
        n_classes: of the scores.
        image_size: (height, width), each at least 4. Below 16 the convolutions are padded.
    """

    def __init__(self, in_channels: int = 3, n_classes: int = 10, image_size: Sequence[int] = (32, 32)) -> None:
        super().__init__()
        padding = 2 if min(image_size) < _SMALLEST else 0
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, 5, padding=padding),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5, padding=padding),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        with torch.no_grad():
            width = self.features(torch.zeros(1, in_channels, *image_size)).numel()
        self.classifier = nn.Sequential(
            nn.Linear(width, 120),
            nn.ReLU(inplace=True),
            nn.Linear(120, 84),
            nn.ReLU(inplace=True),
            nn.Linear(84, n_classes),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores (b, n_classes) for float32 (b, channels, height, width)."""
        scores: Tensor = self.classifier(self.features(pictures).flatten(1))
        return scores

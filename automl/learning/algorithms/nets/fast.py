"""A wide net that learns within few epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from automl.learning.algorithms.nets.blocks import Largest, Scaled, convolution, halvings

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FastNet", "Whitening"]


class Whitening(nn.Module):
    """A fixed first layer, learned from patches: their principal components, each with unit variance, and the negatives
    of these (Page 2019, "How to train your ResNet", part 8; Jordan 2024, arXiv:2404.00498, section 3.2).

    Args:
        in_channels: of the pictures.
        kernel: side of a patch.
    """

    def __init__(self, in_channels: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.outputs = 2 * in_channels * kernel**2
        self.register_buffer("weight", torch.randn(self.outputs, in_channels, kernel, kernel))

    def learn(self, pictures: Tensor) -> None:
        """Take the components of the patches of `pictures`, float32 (n, channels, height, width)."""
        patches = pictures.unfold(2, self.kernel, 1).unfold(3, self.kernel, 1)
        flat = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, self.outputs // 2)
        variance, components = torch.linalg.eigh(flat.T @ flat / len(flat))
        floor = 1e-3 * variance.max().clamp(min=1e-12)  # directions without variance would be noise made loud
        filters = (components / torch.sqrt(variance + floor)).T.flip(0).reshape(-1, *self.weight.shape[1:])
        self.weight.copy_(torch.cat([filters, -filters]))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight, padding=self.kernel // 2)


class FastNet(nn.Module):
    """In the spirit of the speed records on small pictures (Page 2019; Jordan 2024, arXiv:2404.00498, section 2):
    whitened patches, three groups of two convolutions with pooling after the first of them, the largest value over all
    places, and scaled scores. Made for large batches, label smoothing and one cycle over few epochs.

    Args:
        in_channels: of the pictures.
        n_classes: of the scores.
        image_size: (height, width); larger ones are averaged down first.
        width: channels of the first group; the others have `growth` times as many.
        growth: see `width`.
        scale: of the scores.
    """

    WIDTHS: ClassVar[tuple[int, ...]] = (16, 32, 64)

    def __init__(
        self,
        in_channels: int = 3,
        n_classes: int = 10,
        image_size: Sequence[int] = (32, 32),
        *,
        width: int = 32,
        growth: int = 4,
        scale: float = 1 / 9,
    ) -> None:
        super().__init__()
        times = halvings(image_size)
        self.shrink = nn.AvgPool2d(2**times, ceil_mode=True) if times else nn.Identity()
        self.whitening = Whitening(in_channels, kernel=2 if in_channels > 1 else 3)
        inputs, groups = self.whitening.outputs, []
        for outputs in (width, width * growth, width * growth):
            groups.append(_group(inputs, outputs))
            inputs = outputs
        self.layers = nn.Sequential(nn.GELU(), *groups, Largest(), nn.Linear(inputs, n_classes), Scaled(scale))

    def learn(self, pictures: Tensor) -> None:
        """Let the first layer learn from standardised training pictures, float32 (n, channels, height, width)."""
        self.whitening.learn(self.shrink(pictures))

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores (b, n_classes) for float32 (b, channels, height, width)."""
        scores: Tensor = self.layers(self.whitening(self.shrink(pictures)))
        return scores


def _group(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        convolution(inputs, outputs),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.BatchNorm2d(outputs),
        nn.GELU(),
        convolution(outputs, outputs),
        nn.BatchNorm2d(outputs),
        nn.GELU(),
    )

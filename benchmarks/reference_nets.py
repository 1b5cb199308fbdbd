"""Nets tuned by hand, to which the searches on MNIST and CIFAR10 are compared: plain torch, none of automl's code.

Numbers are tried out on 5,000 rows held out of the training part, by ``reference_training.py``. Pooling before batch
normalisation, a one-cycle of Nesterov SGD and label smoothing come from "How to train your ResNet" (David Page, 2018),
flips and shifts when predicting from arXiv:2404.00498.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, nn

__all__ = ["RECIPES", "Augmentation", "Recipe", "tutorial_net"]


def conv(inputs: int, outputs: int, *, pool: bool = False) -> nn.Sequential:
    """3x3 convolution, pooling, batch normalisation, ReLU: pooled first, the last two cost a quarter."""
    layers = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), *([nn.MaxPool2d(2)] if pool else [])]
    return nn.Sequential(*layers, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Sequential):
    """The output of the layers, added to their input."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class Scale(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def plain_net(width: int, channels: int, classes: int) -> nn.Module:
    """Three blocks of two 3x3 convolutions: `width`, twice and four times as many filters."""
    w = width
    return nn.Sequential(
        conv(channels, w, pool=True),
        conv(w, w),
        conv(w, 2 * w, pool=True),
        conv(2 * w, 2 * w),
        conv(2 * w, 4 * w, pool=True),
        conv(4 * w, 4 * w),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * w, classes),
    )


def residual_net(width: int, channels: int, classes: int) -> nn.Module:
    """Page's ResNet-9 by width: 412,000 parameters at 16."""
    w = width
    return nn.Sequential(
        conv(channels, w),
        conv(w, 2 * w, pool=True),
        Residual(conv(2 * w, 2 * w), conv(2 * w, 2 * w)),
        conv(2 * w, 4 * w, pool=True),
        conv(4 * w, 8 * w, pool=True),
        Residual(conv(8 * w, 8 * w), conv(8 * w, 8 * w)),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(8 * w, classes, bias=False),
        Scale(0.125),
    )


def tutorial_net(channels: int = 3, classes: int = 10) -> nn.Module:
    """The net of PyTorch's first tutorial on pictures of 32 x 32."""
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, classes),
    )


# Recipes


@dataclass(frozen=True)
class Augmentation:
    """Random changes of training pictures.

    Attributes:
        shift: pixels at most, up, down, left and right.
        flip: left and right change places, half of the time.
        cutout: side of the square that is left out, in pixels; 0 for none.
        rotate: degrees at most.
        zoom: share by which the size changes at most.
    """

    shift: int = 0
    flip: bool = False
    cutout: int = 0
    rotate: float = 0.0
    zoom: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """A net and how it is trained.

    Attributes:
        width: of the net on CPU, and on a GPU.
        batch: rows of a step on CPU, and on a GPU.
        peak: the largest learning rate of the one-cycle, for batches of 128 rows; it grows with their square root.
        warmup: share of the schedule in which the rate rises.
        decay: weight decay.
        smoothing: of labels.
        views: shifts in pixels, the predictions for which are averaged when it predicts; flipped ones too if it was
            trained with them.
    """

    net: Callable[[int, int, int], nn.Module]
    width: tuple[int, int]
    batch: tuple[int, int]
    peak: float
    warmup: float = 0.2
    momentum: float = 0.9
    decay: float = 5e-4
    smoothing: float = 0.1
    augmentation: Augmentation = field(default_factory=Augmentation)
    views: tuple[tuple[int, int], ...] = ((0, 0),)


RECIPES = {
    "mnist": Recipe(
        net=plain_net,
        width=(32, 64),
        batch=(128, 512),
        peak=0.1,
        augmentation=Augmentation(shift=2),
        views=((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)),
    ),
    "cifar10": Recipe(
        net=residual_net,
        width=(16, 64),
        batch=(128, 512),
        peak=0.2,
        augmentation=Augmentation(shift=2, flip=True),
        views=((0, 0), (-1, -1), (1, 1)),
    ),
}

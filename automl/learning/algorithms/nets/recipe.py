"""The recipe of a net: the settings of one training, and what they mean to torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from automl.errors import SpaceError
from automl.learning.algorithms.nets.augment import Augmentation
from automl.learning.algorithms.nets.muon import Muon

if TYPE_CHECKING:
    from torch import nn

__all__ = ["OPTIMIZERS", "Recipe"]

OPTIMIZERS = ("sgd", "adamw", "muon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """See `automl.learning.algorithms.nets.classifier.NetClassifier`, whose parameters these are.

    Raises:
        SpaceError: a value is outside its range.
    """

    batch_size: int
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    warm_up: float
    label_smoothing: float
    clip: float | None
    ema: float
    flip: bool
    translate: float
    cutout: float

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise SpaceError(
                f"optimizer {self.optimizer!r} is unknown: choose {' or '.join(OPTIMIZERS)}.", key="optimizer"
            )
        ranges = {
            "batch_size": (self.batch_size >= 1, "at least 1"),
            "lr": (self.lr > 0, "above 0"),
            "momentum": (0 <= self.momentum < 1, "in [0, 1)"),
            "weight_decay": (self.weight_decay >= 0, "at least 0"),
            "warm_up": (0 <= self.warm_up < 1, "in [0, 1)"),
            "label_smoothing": (0 <= self.label_smoothing < 1, "in [0, 1)"),
            "clip": (self.clip is None or self.clip > 0, "above 0, or null"),
            "ema": (0 <= self.ema < 1, "in [0, 1)"),
            "translate": (0 <= self.translate < 1, "in [0, 1)"),
            "cutout": (0 <= self.cutout <= 1, "in [0, 1]"),
        }
        for name, (holds, wanted) in ranges.items():
            if not holds:
                raise SpaceError(f"{name} is {getattr(self, name)}, and has to be {wanted}.", key=name)

    def augmentation(self, height: int, width: int) -> Augmentation:
        """In pixels, for pictures of this size."""
        side = min(height, width)
        return Augmentation(self.flip, min(round(self.translate * side), side - 1), round(self.cutout * side))

    def make_optimizer(self, net: nn.Module) -> Any:
        """For the parameters of `net` that are trained.

        Weights decay; biases and what scales do not (He et al. 2019, arXiv:1812.01187, section 3.1, "no bias decay").
        """
        if self.optimizer == "muon":
            return Muon(net, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay)
        trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": self.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        fused = all(parameter.is_floating_point() for parameter in trained)
        if self.optimizer == "adamw":
            return torch.optim.AdamW(groups, lr=self.lr, betas=(self.momentum, 0.99), fused=fused)
        return torch.optim.SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.momentum > 0, fused=fused)

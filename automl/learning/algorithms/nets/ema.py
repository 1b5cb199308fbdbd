"""The running average of a net's weights, which predicts better than the weights of any step."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["WeightAverage"]


class WeightAverage:
    """Exponential moving average (Polyak & Juditsky 1992; its use here: Morales-Brotons et al. 2024, arXiv:2411.18704).

    While there were few steps it looks back over a ninth of them, so that nothing is left of the random start: that
    takes the place of a correction of the bias. Running statistics of batch normalisation are averaged as the weights
    are, so that they belong to them; counters are copied.

    Args:
        net: whose weights are averaged.
        decay: in [0, 1); 0 for no average at all.

    Attributes:
        net: the one to predict with: with the average as its weights; the original itself without an average.
        updates: how many there were.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.net = net if decay == 0 else copy.deepcopy(net).requires_grad_(False)
        live, mean = list(net.state_dict().values()), list(self.net.state_dict().values())
        is_smooth = [tensor.is_floating_point() for tensor in live]
        self._live, self._mean = _split(live, is_smooth, True), _split(mean, is_smooth, True)
        self._counters = list(zip(_split(mean, is_smooth, False), _split(live, is_smooth, False), strict=True))

    def update(self) -> None:
        """Call after each step."""
        if self.decay == 0:
            return
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        with torch.no_grad():
            torch._foreach_lerp_(self._mean, self._live, 1.0 - decay)
            for mean, live in self._counters:
                mean.copy_(live)


def _split(tensors: list[Tensor], chosen: list[bool], value: bool) -> list[Tensor]:
    return [tensor for tensor, choice in zip(tensors, chosen, strict=True) if choice is value]

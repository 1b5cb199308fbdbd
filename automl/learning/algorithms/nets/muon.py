"""Muon: momentum whose steps are as long in every direction of a bank of filters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Muon", "orthogonal"]

_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Coefficients of a s + b s^3 + c s^5, which applied repeatedly brings a singular value s in (0, 1] near 1."""
_TIMES = 3
_OTHERS = 6.0
"""Learning rate of what is not a filter, as a multiple of the filters'."""


class Muon(torch.optim.Optimizer):
    """Steps along the orthogonal part of the momentum (Jordan et al. 2024, "Muon: An optimizer for hidden layers in
    neural networks"), for the filters of convolutions, each bank as a matrix with a row per filter. Other weights are
    trained by SGD with Nesterov's momentum and weight decay.

    Banks do not decay. One of n filters is at most as long as the root of n, so that a step turns it by about the
    learning rate: behind a normalisation a longer one gives the same scores, and would only turn more slowly.

    Args:
        net: whose parameters are trained, those that want a gradient.
        lr: length of a step of a filter; the learning rate of other weights is six times as much.
        momentum: in [0, 1).
        weight_decay: of weights that are not filters; biases and the parameters of normalisation have none.
    """

    def __init__(self, net: nn.Module, *, lr: float, momentum: float, weight_decay: float) -> None:
        convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
        banks = {id(module.weight) for module in net.modules() if isinstance(module, convolutions)}
        filters: list[Tensor] = []
        weights: list[Tensor] = []
        others: list[Tensor] = []
        for parameter in net.parameters():
            if parameter.requires_grad:
                kind = filters if id(parameter) in banks else weights if parameter.ndim > 1 else others
                kind.append(parameter)
        groups = [
            {"params": filters, "filters": True},
            {"params": weights, "filters": False, "weight_decay": weight_decay},
            {"params": others, "filters": False, "weight_decay": 0.0},
        ]
        super().__init__([group for group in groups if group["params"]], {"lr": lr, "momentum": momentum})

    def step(self, closure: Any = None) -> None:
        """Move every parameter that has a gradient. `closure` is not called."""
        with torch.no_grad():
            for group in self.param_groups:
                move = _turn if group["filters"] else _descend
                for parameter in group["params"]:
                    if parameter.grad is None:
                        continue
                    state = self.state[parameter]
                    if not state:
                        state["momentum_buffer"] = torch.zeros_like(parameter)
                    move(parameter, parameter.grad, state["momentum_buffer"], group)


def _turn(bank: Tensor, gradient: Tensor, buffer: Tensor, group: dict[str, Any]) -> None:
    buffer.mul_(group["momentum"]).add_(gradient)
    direction = orthogonal(gradient.add(buffer, alpha=group["momentum"]).flatten(1))
    bank.mul_((math.sqrt(len(bank)) / bank.norm()).clamp(max=1.0))
    bank.add_(direction.view_as(bank), alpha=-group["lr"])


def _descend(parameter: Tensor, gradient: Tensor, buffer: Tensor, group: dict[str, Any]) -> None:
    slope = gradient.add(parameter, alpha=group["weight_decay"])
    buffer.mul_(group["momentum"]).add_(slope)
    parameter.add_(slope.add(buffer, alpha=group["momentum"]), alpha=-_OTHERS * group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """`matrix`, shape (r, c), with its singular values brought near 1, but for those that are tiny beside the largest.

    A few Newton-Schulz iterations x <- (a + b x x' + c (x x')^2) x. Their factors commute, so all of them are
    products of small square matrices, and only the first and the last one are as long as the matrix.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / (x.norm() + 1e-7)
    square = x @ x.T
    factors = one = torch.eye(len(x), dtype=x.dtype, device=x.device)
    for time in range(_TIMES):
        factor = _A * one + torch.addmm(square, square, square, beta=_B, alpha=_C)
        factors = factor @ factors
        if time < _TIMES - 1:
            square = factor @ square @ factor
    x = factors @ x
    return x.T if is_tall else x

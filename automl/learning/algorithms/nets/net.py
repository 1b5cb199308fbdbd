"""A module with the preprocessing that belongs to it: it takes pictures as bytes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from automl.errors import SpaceError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GIVEN", "Net", "make_net"]

GIVEN = ("in_channels", "n_classes", "image_size")
"""Arguments that a module's constructor gets from the data, those of them that it takes."""

_SAMPLE = 1_000
"""Pictures from which preprocessing is learned: they have half a million pixels and more."""


class Net(nn.Module):
    """Standardises each channel by what the training pictures have, then calls `body`.

    Args:
        body: takes float32, shape (b, channels, height, width); gives scores of the classes, shape (b, n_classes).
        channels: of the pictures.
    """

    def __init__(self, body: nn.Module, channels: int) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("scale", torch.ones(1, channels, 1, 1))

    def learn(self, pixels: Tensor, seed: int) -> None:
        """Take mean and spread from training pictures, and let `body` do the same in its ``learn(pictures)``, if any.

        Args:
            pixels: uint8, shape (n, height, width, channels), on the CPU.
        """
        chosen = torch.from_numpy(np.random.default_rng(seed).permutation(len(pixels))[:_SAMPLE])
        sample = pixels.index_select(0, chosen)
        spread, mean = torch.std_mean(sample.float(), dim=(0, 1, 2), correction=0)
        self.mean.copy_(mean.view(1, -1, 1, 1))
        self.scale.copy_(1.0 / spread.clamp(min=1.0).view(1, -1, 1, 1))  # one of 256 levels: a channel without any
        if hasattr(self.body, "learn"):
            with torch.no_grad():
                self.body.learn(self._standardised(sample))

    @property
    def fill(self) -> Tensor:
        """uint8, shape (channels,): the colour that standardises to zero."""
        return self.mean.view(-1).round().to(torch.uint8)

    def forward(self, pixels: Tensor) -> Tensor:
        """Scores, shape (b, n_classes), for uint8 of shape (b, height, width, channels)."""
        return self.body(self._standardised(pixels))

    def _standardised(self, pixels: Tensor) -> Tensor:
        # Permuted bytes are already what torch calls channels_last: nothing is moved.
        return pixels.permute(0, 3, 1, 2).float().sub_(self.mean).mul_(self.scale)


def make_net(module: type, params: Mapping[str, Any], shape: tuple[int, int, int], n_classes: int) -> Net:
    """The untrained net for pictures of `shape` (height, width, channels).

    Raises:
        SpaceError: the constructor refuses `params`, or what it makes does not score `n_classes` classes.
    """
    height, width, channels = shape
    facts = {"in_channels": channels, "n_classes": n_classes, "image_size": (height, width)}
    taken = _taken(module)
    try:
        body = module(**params, **{name: value for name, value in facts.items() if taken is None or name in taken})
    except (TypeError, ValueError) as error:
        raise SpaceError(f"{module.__name__} cannot be made for pictures of {height} x {width}: {error}.") from error
    net = Net(body, channels)
    net.eval()
    try:
        with torch.no_grad():
            scores = net(torch.zeros(2, *shape, dtype=torch.uint8))
    except RuntimeError as error:
        raise SpaceError(
            f"{module.__name__} does not take pictures of {height} x {width} x {channels}: {error}. Its constructor "
            "is given in_channels, n_classes and image_size, as far as it has them."
        ) from error
    found = tuple(getattr(scores, "shape", ()))
    if found != (2, n_classes):
        raise SpaceError(
            f"{module.__name__} gives {found} for 2 pictures and {n_classes} classes, not (2, {n_classes}): let its "
            "constructor take n_classes."
        )
    return net


def _taken(module: type) -> frozenset[str] | None:
    """Names of the constructor's arguments; None if it takes any."""
    parameters = inspect.signature(module).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return None
    return frozenset(parameters)

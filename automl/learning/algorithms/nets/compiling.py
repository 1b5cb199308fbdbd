"""A trial of `torch.compile`: it is used for a training only where it pays."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from automl.learning.algorithms.nets.step_time import seconds_of_step

if TYPE_CHECKING:
    from torch import Tensor

    from automl.learning.algorithms.nets.device import Hardware
    from automl.learning.algorithms.nets.net import Net

__all__ = ["choose_forward", "faster"]

logger = logging.getLogger("automl")

_WORTH = 600.0
"""Seconds of training from which compiling, about a minute, can pay. On a CPU it takes as long and gains nothing."""

_WARM_UP, _CALLS = 3, 10
_GAIN = 0.95


def choose_forward(net: Net, batch: Tensor, target: Tensor, hardware: Hardware, seconds: float) -> Callable[..., Any]:
    """Return what a training should call for scores: `net`, or a compiled form of it with the same weights.

    Args:
        batch: of the size that the training will have.
        target: its classes.
        seconds: that the training may take.
    """
    if not hardware.is_cuda or not _WORTH <= seconds < float("inf"):
        return net
    return faster(net, torch.compile(net), batch, target, hardware)


def faster(
    net: Net, candidate: Callable[..., Any], batch: Tensor, target: Tensor, hardware: Hardware
) -> Callable[..., Any]:
    """`candidate` if its steps take less time than those of `net` and it works at all, else `net`.

    Nothing that `net` has learned changes.
    """
    before = copy.deepcopy(net.state_dict())
    net.train()
    try:
        plain, other = (
            seconds_of_step(forward, batch, target, hardware, warm_up=_WARM_UP, calls=_CALLS)
            for forward in (net, candidate)
        )
    except Exception as error:  # compilers fail in many ways, and a training does not need them
        logger.info("The net is trained uncompiled: %s: %s", type(error).__name__, str(error).splitlines()[:1])
        return net
    finally:
        net.zero_grad(set_to_none=True)
        net.load_state_dict(before)
    logger.info("A step takes %.2f ms, compiled %.2f ms.", 1000 * plain, 1000 * other)
    return candidate if other < _GAIN * plain else net

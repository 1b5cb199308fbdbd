"""The width that suits a net to the time that it has."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from automl.errors import SpaceError
from automl.learning.algorithms.nets.step_time import seconds_of_step

if TYPE_CHECKING:
    from torch import Tensor

    from automl.learning.algorithms.nets.device import Hardware
    from automl.learning.algorithms.nets.net import Net

__all__ = ["AUTO", "sized"]

AUTO = "auto"

_EPOCHS = 8.0
"""A net is as wide as it can be and still see every picture so often. On rows held out of CIFAR10's training part a net
twice as wide was behind when it saw them 4 times, and ahead when it saw them 11 times."""
_HOPE = 1.5
"""A wider one is only tried where this one sees them so many times as often as that."""
_WARM_UP, _CALLS = 1, 2
_TRYING = 0.05
"""Share of the time that trying the next width may take."""
_WIDER = 4.0
"""The factor by which a step of the next one is expected to be longer than this one's."""


def sized(
    module: type,
    params: Mapping[str, Any],
    make: Callable[[Mapping[str, Any]], Net],
    batch: Tensor,
    target: Tensor,
    hardware: Hardware,
    *,
    ends: float,
    steps_per_epoch: int,
) -> dict[str, Any]:
    """`params` of `module`, in which a width ``auto`` has become a number: one of the module's ``WIDTHS``, found by
    timing a few steps with each. Where time is not limited it is left to the module's constructor.

    Args:
        make: the untrained net with such parameters.
        batch: pictures, as many as a step has.
        target: their classes.
        ends: when the training has to be over, by the clock of `time.monotonic`; `math.inf` for any time.

    Raises:
        SpaceError: the module does not say which widths there are.
    """
    if params.get("width") != AUTO:
        return dict(params)
    widths = tuple(getattr(module, "WIDTHS", ()))
    if not widths:
        raise SpaceError(
            f"{module.__name__} does not say in WIDTHS how wide it can be, so its width cannot be {AUTO!r}: give a "
            "number.",
            key="width",
        )
    rest = {name: value for name, value in params.items() if name != "width"}
    if math.isinf(ends):
        return rest
    chosen = widths[0]
    for width in widths:
        net = make({**rest, "width": width}).to(hardware.device, memory_format=torch.channels_last)
        try:
            step = seconds_of_step(net.train(), batch, target, hardware, warm_up=_WARM_UP, calls=_CALLS)
        except torch.OutOfMemoryError:
            break
        left = ends - time.monotonic()
        epochs = left / (step * steps_per_epoch)
        if epochs >= _EPOCHS:
            chosen = width
        if epochs < _HOPE * _EPOCHS or (_WARM_UP + _CALLS) * _WIDER * step > _TRYING * left:
            break
    return {**rest, "width": chosen}

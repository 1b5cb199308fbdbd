"""The time that a step of a training takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from automl.learning.algorithms.nets.device import Hardware

__all__ = ["seconds_of_step"]


def seconds_of_step(
    forward: Callable[..., Any], batch: Tensor, target: Tensor, hardware: Hardware, *, warm_up: int, calls: int
) -> float:
    """Mean seconds of a step without the optimizer's part. It changes gradients and running statistics.

    Args:
        forward: gives scores of `batch`, in training mode.
        target: classes, shape (len(batch),).
        warm_up: steps before the clock starts.
        calls: steps that are timed.
    """
    for call in range(warm_up + calls):
        if call == warm_up:
            began = _now(hardware)
        with hardware.autocast():
            scores = forward(batch)
        functional.cross_entropy(scores.float(), target).backward()
    return (_now(hardware) - began) / calls


def _now(hardware: Hardware) -> float:
    if hardware.is_cuda:
        torch.cuda.synchronize(hardware.device)
    return time.perf_counter()

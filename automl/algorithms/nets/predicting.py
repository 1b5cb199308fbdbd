"""Predictions of a net, a batch at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from automl.algorithms.nets.device import Hardware
    from automl.algorithms.nets.net import Net

__all__ = ["predict", "seconds_to_predict"]

_BATCH = {"cpu": 256}
_GPU_BATCH = 2048


def predict(net: Net, pixels: Tensor, hardware: Hardware, *, flip: bool) -> np.ndarray:
    """Probabilities, float32, shape (n, k).

    Args:
        net: on the hardware's device. It is left in evaluation mode.
        pixels: uint8, shape (n, height, width, channels), on the CPU.
        flip: average the scores of each picture and of its mirror image.

    Raises:
        MemoryError: not even one picture fits into the GPU's memory.
    """
    net.eval()
    size, at, parts = _BATCH.get(hardware.device.type, _GPU_BATCH), 0, []
    while at < len(pixels):
        batch = pixels[at : at + size]
        try:
            parts.append(_probabilities(net, batch, hardware, flip))
        except torch.OutOfMemoryError as error:
            if size == 1:
                raise MemoryError(f"The GPU's memory does not hold the net and a picture: {error}") from None
            size = max(1, size // 2)
            continue
        at += len(batch)
    probabilities: np.ndarray = torch.cat(parts).numpy()
    return probabilities


def _probabilities(net: Net, batch: Tensor, hardware: Hardware, flip: bool) -> Tensor:
    with torch.inference_mode(), hardware.autocast():
        batch = batch.to(hardware.device, non_blocking=True)
        scores = net(batch).float()
        if flip:
            scores = (scores + net(batch.flip(2)).float()) / 2
        return scores.softmax(dim=1).cpu()


def seconds_to_predict(net: Net, pixels: Tensor, hardware: Hardware, *, flip: bool) -> float:
    """What `predict` will take for `pixels`, by the time for the second of two half batches."""
    few = pixels[: _BATCH.get(hardware.device.type, _GPU_BATCH) // 2]
    if len(few) == 0:
        return 0.0
    predict(net, few, hardware, flip=flip)  # the first one prepares the kernels
    began = time.perf_counter()
    predict(net, few, hardware, flip=flip)
    return (time.perf_counter() - began) * len(pixels) / len(few)

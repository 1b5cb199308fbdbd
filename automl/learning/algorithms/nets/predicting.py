"""Predictions of a net, a batch at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from automl.learning.algorithms.nets.augment import gather, origins

if TYPE_CHECKING:
    from torch import Tensor

    from automl.learning.algorithms.nets.device import Hardware
    from automl.learning.algorithms.nets.net import Net

__all__ = ["PLAIN", "TestTimeAugmentation", "predict", "seconds_to_predict"]

_BATCH = {"cpu": 256}
_GPU_BATCH = 2048
_FIRST, _GROWTH = 128, 8
"""A measurement begins with one part in so many of a half batch, and grows by this factor."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class TestTimeAugmentation:
    """The forms of a picture whose scores are averaged.

    Attributes:
        flip: its mirror image as well.
        shift: pixels by which it is moved up and left, and down and right, as well; 0 for not. Both together weigh as
            much as the picture where it is (Jordan 2024, arXiv:2404.00498, section 3.5, "multi-crop").
    """

    flip: bool = False
    shift: int = 0

    def __len__(self) -> int:
        return (1 + self.flip) * (3 if self.shift else 1)

    def of(self, batch: Tensor) -> Iterator[tuple[float, Tensor]]:
        """Weights, whose sum is 1, and what they are for: `batch`, uint8 of shape (n, height, width, channels)."""
        moved = [(1.0, batch)]
        if self.shift:
            moved = [(0.5, batch), *((0.25, _moved(batch, by)) for by in (-self.shift, self.shift))]
        for weight, pictures in moved:
            if not self.flip:
                yield weight, pictures
                continue
            yield weight / 2, pictures
            yield weight / 2, pictures.flip(2)


PLAIN = TestTimeAugmentation()


def _moved(batch: Tensor, by: int) -> Tensor:
    moves = torch.full((len(batch),), by, device=batch.device)
    rows = torch.arange(len(batch), device=batch.device)
    return gather(batch, rows, origins(batch.shape[1], moves), origins(batch.shape[2], moves))


def predict(net: Net, pixels: Tensor, hardware: Hardware, views: TestTimeAugmentation = PLAIN) -> np.ndarray:
    """Probabilities, float32, shape (n, k).

    Args:
        net: on the hardware's device. It is left in evaluation mode.
        pixels: uint8, shape (n, height, width, channels), on the CPU.

    Raises:
        MemoryError: not even one picture fits into the GPU's memory.
    """
    net.eval()
    size, at, parts = _BATCH.get(hardware.device.type, _GPU_BATCH), 0, []
    while at < len(pixels):
        batch = pixels[at : at + size]
        try:
            parts.append(_probabilities(net, batch, hardware, views))
        except torch.OutOfMemoryError as error:
            if size == 1:
                raise MemoryError(f"The GPU's memory does not hold the net and a picture: {error}") from None
            size = max(1, size // 2)
            continue
        at += len(batch)
    probabilities: np.ndarray = torch.cat(parts).numpy()
    return probabilities


def _probabilities(net: Net, batch: Tensor, hardware: Hardware, views: TestTimeAugmentation) -> Tensor:
    with torch.inference_mode(), hardware.autocast():
        here = batch.to(hardware.device, non_blocking=True)
        scores = torch.stack([weight * net(view).float() for weight, view in views.of(here)]).sum(dim=0)
        return scores.softmax(dim=1).cpu()


def seconds_to_predict(net: Net, pixels: Tensor, hardware: Hardware, *, most: float = math.inf) -> float:
    """Estimate what `predict` will take for one view of `pixels`, by the fastest of a few batches: what slows one of
    them down is soon over.

    Args:
        most: seconds to find out, about; a net that is slow is judged by batches that are small.
    """
    few = pixels[: _BATCH.get(hardware.device.type, _GPU_BATCH) // 2]
    if len(few) == 0:
        return 0.0
    began, size, least = time.perf_counter(), max(1, len(few) // _FIRST), math.inf
    while True:
        predict(net, few[:size], hardware)  # it prepares the kernels for this size
        took = math.inf
        for _ in range(_TRIES):
            took = min(took, _seconds_of(net, few[:size], hardware))
            if time.perf_counter() - began + took > most:
                break
        least = min(least, took / size)
        larger = min(_GROWTH * size, len(few))
        if size == larger or time.perf_counter() - began + 2 * larger * least > most:
            return least * len(pixels)
        size = larger


def _seconds_of(net: Net, pixels: Tensor, hardware: Hardware) -> float:
    began = time.perf_counter()
    predict(net, pixels, hardware)
    return time.perf_counter() - began

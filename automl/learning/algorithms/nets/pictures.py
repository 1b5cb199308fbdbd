"""The training pictures where they are used: on the device, as bytes, for the whole of a training."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from automl.learning.algorithms.nets.augment import Augmentation
    from automl.learning.algorithms.nets.device import Hardware

__all__ = ["Pictures", "as_tensor"]

_RESIDENT = 0.5
"""Share of a GPU's free memory that the pictures may take; larger ones stay in the computer's."""


class Pictures:
    """Pictures with their targets, and what is changed about them.

    Args:
        pixels: uint8, shape (n, height, width, channels), on the CPU.
        targets: codes 0..k-1, shape (n,).
        weights: of each picture, shape (n,); None for ones. Their mean is made 1.
        fill: uint8, shape (channels,): the colour of a hole.

    Attributes:
        home: the device that they are on.
    """

    def __init__(
        self,
        pixels: Tensor,
        targets: np.ndarray,
        weights: np.ndarray | None,
        augmentation: Augmentation,
        fill: Tensor,
        hardware: Hardware,
    ) -> None:
        self._device, self._augmentation = hardware.device, augmentation
        self.home: Any = hardware.device if _fits(pixels, hardware) else torch.device("cpu")
        self._pixels = pixels.to(self.home)
        self._fill = fill.to(self.home)
        self._targets = torch.as_tensor(targets, dtype=torch.int64).to(self.home)
        self._weights: Tensor | None = None
        if weights is not None:
            relative = np.asarray(weights, dtype=np.float32) / max(float(np.mean(weights)), 1e-30)
            self._weights = torch.as_tensor(relative).to(self.home)

    def __len__(self) -> int:
        return len(self._targets)

    def batches(self, size: int) -> int:
        """Whole batches of an epoch: the rest that is left over takes its turn in other epochs."""
        return max(1, len(self) // size)

    def batch(self, rows: Tensor, mirrored: Tensor | None, generator: Generator) -> Tensor:
        """Changed copies of those at `rows`. See `Augmentation.batch`."""
        batch = self._augmentation.batch(self._pixels, rows, mirrored, self._fill, generator)
        return batch.to(self._device, non_blocking=True)

    def sample(self, size: int) -> tuple[Tensor, Tensor]:
        """The first `size` pictures as they are, and their targets."""
        return self._pixels[:size].to(self._device), self._targets[:size].to(self._device)

    def targets_of(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Targets and weights of those at `rows`."""
        weights = None if self._weights is None else self._weights.index_select(0, rows).to(self._device)
        return self._targets.index_select(0, rows).to(self._device), weights


def as_tensor(pixels: np.ndarray) -> Tensor:
    """The same memory as a tensor; it may be read-only, and nothing writes to it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(pixels))


def _fits(pixels: Tensor, hardware: Hardware) -> bool:
    if not hardware.is_cuda:
        return True
    torch.cuda.empty_cache()  # what an earlier training has left would count as taken
    free, _ = torch.cuda.mem_get_info(hardware.device)
    return bool(pixels.numel() <= _RESIDENT * free)

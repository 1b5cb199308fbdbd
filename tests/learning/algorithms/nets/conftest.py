from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from automl.learning.algorithms.progress import Checkpoints

if importlib.util.find_spec("torch") is None:  # an extra: without it there is nothing to test here
    collect_ignore_glob = ["test_*.py"]


@dataclass
class Recorder:
    """A `Progress` that keeps what it is told.

    Attributes:
        stop_after: steps after which the fit is to end.
        die_after: steps after which the fit's process is as good as killed.
    """

    wanted: bool = True
    seconds_left: float = math.inf
    anytime: bool = False
    fidelity: float = 1.0
    predictions: float = 1.0
    checkpoints: Checkpoints | None = None
    stop_after: int | None = None
    die_after: int | None = None
    steps: int = 0
    reports: list[tuple[float, np.ndarray]] = field(default_factory=list)

    def should_stop(self) -> bool:
        self.steps += 1
        if self.steps == self.die_after:
            raise KeyboardInterrupt
        return self.steps == self.stop_after

    def report(self, fraction: float, predict: Callable[[], np.ndarray]) -> None:
        self.reports.append((fraction, predict()))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """As a trial of one core trains: more would wait for each other over nets as small as these.

    For each test anew: what ran before it in this process, of another file, may have wanted more.
    """
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def recorder() -> type[Recorder]:
    return Recorder


@pytest.fixture
def places(tmp_path: Path) -> Callable[..., Checkpoints]:
    """Folders of trials by name; the second is the parent's."""

    def make(own: str, parent: str | None = None) -> Checkpoints:
        (tmp_path / own).mkdir(exist_ok=True)
        return Checkpoints(tmp_path / own, None if parent is None else tmp_path / parent)

    return make


def stripes(n: int, *, size: tuple[int, int] = (12, 12), channels: int = 1, seed: int = 0) -> tuple[np.ndarray, ...]:
    """n noisy pictures of flat, upright and lying stripes: classes 0, 1 and 2."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    down, across = np.indices(size) // 2 % 2
    patterns = np.stack([np.full(size, 0.5), across, down])
    bright = patterns[y][..., None] * rng.uniform(0.5, 1.0, (n, 1, 1, channels))
    noisy = bright + rng.normal(0, 0.15, (n, *size, channels))
    return (np.clip(noisy, 0, 1) * 255).astype(np.uint8), y


@pytest.fixture(scope="session")
def pictures() -> Callable[..., tuple[np.ndarray, ...]]:
    return stripes

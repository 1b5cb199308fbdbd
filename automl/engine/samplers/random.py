"""Random search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automl.engine.samplers.base import Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

__all__ = ["RandomSearch"]


class RandomSearch(Sampler):
    """Every parameter independently from its range (Bergstra and Bengio 2012, JMLR 13)."""

    name = "random"
    learns = False
    window = 0

    def make(self, seed: int) -> BaseSampler:
        from automl.engine.samplers.uniform import UniformSampler

        return UniformSampler(seed)

"""A trial whose parameters a sampler draws one by one, without a study that remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FixedTrial, FrozenTrial

__all__ = ["StatelessTrial"]


class StatelessTrial(FixedTrial):
    """For samplers that learn nothing: a study in memory would cost more than the draw.

    Args:
        sampler: who draws.
        study: what the sampler may look at; it stays empty.
        trial: the same.
    """

    def __init__(self, sampler: BaseSampler, study: optuna.Study, trial: FrozenTrial) -> None:
        super().__init__({})
        self._sampler, self._study, self._trial = sampler, study, trial
        self._drawn: dict[str, Any] = {}
        self._from: dict[str, BaseDistribution] = {}

    @property
    def params(self) -> dict[str, Any]:
        return self._drawn

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        return self._from

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return float(self._draw(name, FloatDistribution(low, high, log=log, step=step)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self._draw(name, IntDistribution(low, high, log=log, step=step)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._draw(name, CategoricalDistribution(choices))

    def _draw(self, name: str, distribution: BaseDistribution) -> Any:
        if name not in self._drawn:
            self._from[name] = distribution
            value = self._sampler.sample_independent(self._study, self._trial, name, distribution)
            self._drawn[name] = distribution.to_external_repr(distribution.to_internal_repr(value))
        return self._drawn[name]

"""Normal and log-normal variables, which Optuna does not know."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from automl.engine.space.base import BaseParameter, Number

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

__all__ = ["NormalParameter"]

_Positive = Annotated[Number, Field(gt=0)]


class NormalParameter(BaseParameter):
    """A normal variable, or with `log` the exponential of one; with `step` rounded to its multiples.

    Asked as a probability through the inverse of the distribution function, so a sampler sees a bounded interval.
    It ends six standard deviations out, beyond which a probability near 1 no longer tells values apart.
    """

    type: Literal["normal"] = "normal"
    mu: Number
    sigma: _Positive
    log: bool = False
    step: _Positive | None = None
    default: Number | None = None

    _EDGE: ClassVar[float] = NormalDist().cdf(-6.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.log and self.mu + 6.0 * self.sigma > math.log(1e300):
            raise ValueError("mu and sigma are those of the logarithm: exp(mu + 6 sigma) must stay below 1e300")
        if self.default is not None:
            try:
                self.encode(self.default)
            except ValueError as error:
                raise ValueError(f"default {error}") from None
        return self

    @property
    def _asked(self) -> dict[str, Any]:
        return {"low": self._EDGE, "high": 1.0 - self._EDGE}

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution

        return FloatDistribution(**self._asked)

    def suggest(self, trial: BaseTrial, name: str) -> float:
        return self.decode(trial.suggest_float(name, **self._asked))

    def decode(self, asked: float) -> float:
        value = self.mu + self.sigma * NormalDist().inv_cdf(asked)
        value = math.exp(value) if self.log else value
        if self.step is None:
            return value
        return float(round(value / self.step) * Decimal(str(self.step)))

    def nearest(self, value: Any) -> float:
        return self.decode(self._probability(value))

    def scaled(self, value: Any, factor: float) -> float:
        moved = self.nearest(value * factor if value else (factor - 1) * self.sigma)
        if self.step is None or moved != value:
            return moved
        up = (factor > 1) == (value >= 0)
        return self.nearest(value + (self.step if up else -self.step))

    @property
    def middle(self) -> float:
        return self.decode(0.5)

    def _probability(self, value: Any) -> float:
        """Probability of a value below `value`; at least that of six sigma on either side."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{value!r} is not a number")
        position = value if not self.log else math.log(value) if value > 0 else -math.inf
        probability = NormalDist().cdf((position - self.mu) / self.sigma)
        return min(max(probability, self._EDGE), 1.0 - self._EDGE)

    def encode(self, value: Any) -> float:
        probability = self._probability(value)
        # The clipped probability must lead back to the value, up to what a probability near 1 can resolve.
        error = 0.0 if self.step else 1e-6 * self.sigma * (value if self.log else 1.0)
        if not math.isclose(self.decode(probability), value, rel_tol=1e-9, abs_tol=max(error, 1e-300)):
            off = f"is not a multiple of {self.step}, or " if self.step else ""
            raise ValueError(f"{value} {off}is more than six sigma from mu")
        return probability

    def cardinality(self) -> None:
        return None

    def values(self) -> Iterator[float]:
        raise ValueError("a normal parameter has infinitely many values")

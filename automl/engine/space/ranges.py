"""Numbers in a range: floats and ints."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from automl.engine.space.base import BaseParameter, Integer, Number

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

__all__ = ["FloatParameter", "IntParameter"]


class _Range(BaseParameter):
    """The common part of a float and an int. `low` and `high` belong to the range, a step counts from `low`."""

    low: Any
    high: Any
    log: bool = False
    step: Any = None
    default: Any = None
    noun: ClassVar[str]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        if self.log and self.low <= 0:
            raise ValueError(f"low ({self.low}) must be above 0 on a log scale")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(f"step ({self.step}) must be above 0 and at most high - low")
        if self.default is not None:
            try:
                self.encode(self.default)
            except ValueError as error:
                raise ValueError(f"default {error}") from None
        return self

    def nearest(self, value: Any) -> Any:
        self._check_number(value)
        if math.isnan(value):
            raise ValueError(f"{value!r} is close to nothing")
        return self.decode(min(max(value, self.low), self.high))

    def scaled(self, value: Any, factor: float) -> Any:
        moved = self.nearest(value * factor if value else (factor - 1) * (self.high - self.low))
        if self.step is None or moved != value:
            return moved
        up = (factor > 1) == (value >= 0)
        index = round((value - self.low) / self.step) + (1 if up else -1)
        return self._at(min(max(index, 0), self._count() - 1))

    @property
    def middle(self) -> Any:
        return self.decode(math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2)

    def _check_number(self, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{value!r} is not a {self.noun}")

    def _check_range(self, value: Any) -> None:
        self._check_number(value)
        if not self.low <= value <= self.high:
            raise ValueError(f"{value} is outside {self.low} to {self.high}")
        if self.step is not None and not math.isclose(self._snap(value), value, rel_tol=1e-9, abs_tol=1e-9 * self.step):
            raise ValueError(f"{value} is not one of {self.low}, {self._at(1)}, ... in steps of {self.step}")

    def _count(self) -> int:
        """Values on the grid of `step`. Decimal, because (0.3 - 0.1) / 0.1 is 1.9999999999999998 in binary."""
        return int((Decimal(str(self.high)) - Decimal(str(self.low))) // Decimal(str(self.step))) + 1

    @abstractmethod
    def _at(self, index: int) -> Any:
        """The value at `index` of the grid."""

    def _snap(self, value: float) -> Any:
        """The nearest value on the grid."""
        return self._at(min(max(round((value - self.low) / self.step), 0), self._count() - 1))


class FloatParameter(_Range):
    """A real number between `low` and `high`, uniform or log-uniform, on a grid if `step` is given."""

    type: Literal["float"] = "float"
    low: Number
    high: Number
    step: Number | None = None
    default: Number | None = None
    noun: ClassVar[str] = "number"

    def _at(self, index: int) -> float:
        return float(Decimal(str(self.low)) + index * Decimal(str(self.step)))

    @property
    def _asked(self) -> dict[str, Any]:
        if self.step is None or self.log:
            return {"low": self.low, "high": self.high, "log": self.log}
        return {"low": self.low, "high": self._at(self._count() - 1), "step": self.step}

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution

        return FloatDistribution(**self._asked)

    def suggest(self, trial: BaseTrial, name: str) -> float:
        return self.decode(trial.suggest_float(name, **self._asked))

    def decode(self, asked: float) -> float:
        return float(asked) if self.step is None else float(self._snap(asked))

    def encode(self, value: Any) -> float:
        self._check_range(value)
        if self.step is None or self.log:
            return self.decode(value)
        # Optuna adds up steps in binary: what it would have stored must be met to the last bit.
        asked = self.low + round((value - self.low) / self.step) * self.step
        return float(min(asked, self._asked["high"]))

    def cardinality(self) -> int | None:
        return None if self.step is None else self._count()

    def values(self) -> Iterator[float]:
        return (self._at(index) for index in range(self._count()))


class IntParameter(_Range):
    """A whole number from `low` to `high`, both included, uniform or log-uniform, in steps of `step` from `low`."""

    type: Literal["int"] = "int"
    low: Integer
    high: Integer
    step: Integer = 1
    default: Integer | None = None
    noun: ClassVar[str] = "whole number"

    def _at(self, index: int) -> int:
        return int(self.low + index * self.step)

    @property
    def _asked(self) -> dict[str, Any]:
        if self.log:
            return {"low": self.low, "high": self.high, "log": True}
        return {"low": self.low, "high": self._at(self._count() - 1), "step": self.step}

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import IntDistribution

        return IntDistribution(**self._asked)

    def suggest(self, trial: BaseTrial, name: str) -> int:
        return self.decode(trial.suggest_int(name, **self._asked))

    def decode(self, asked: float) -> int:
        return int(self._snap(asked))

    def encode(self, value: Any) -> int:
        self._check_range(value)
        return self.decode(value)

    def _count(self) -> int:
        return int((self.high - self.low) // self.step) + 1

    def cardinality(self) -> int:
        return self._count()

    def values(self) -> Iterator[int]:
        return iter(range(self.low, self.high + 1, self.step))

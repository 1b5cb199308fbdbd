"""The interface of every kind of parameter: asked of Optuna, decoded, encoded, counted.

Optuna stores an *asked* value; a trial gets the *real* one. They differ where Optuna has no such distribution: a normal
is asked as a probability, log with step without the step, a choice that is not a scalar as its JSON text.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from automl.options import Options

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

__all__ = ["BaseParameter", "Integer", "Number", "json_text"]


def json_text(value: Any) -> str:
    """`value` as JSON text: the identity of a value, in which 1, 1.0 and true differ.

    Raises:
        ValueError: JSON cannot hold it.
    """
    try:
        text = json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(
            f"{value!r} is not a JSON value: null, a boolean, a number, a text, a list or a mapping"
        ) from None
    if text == "NaN":
        raise ValueError("nan cannot be searched over")
    return text


def refuse_bool(value: Any) -> Any:
    """Refuse what Pydantic would turn into a number without a word."""
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    return value


Number = Annotated[float, BeforeValidator(refuse_bool)]
Integer = Annotated[int, BeforeValidator(refuse_bool)]


class BaseParameter(Options, ABC):
    """One hyperparameter: its range, and the conditions under which it exists."""

    type: str
    default: Any = None
    when: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(
        default={}, description="{other: [values]}: exists only while each other parameter has one of its values"
    )

    @abstractmethod
    def distribution(self) -> BaseDistribution:
        """The Optuna distribution of the asked value."""

    @abstractmethod
    def suggest(self, trial: BaseTrial, name: str) -> Any:
        """Ask `trial` for the parameter under `name`; gives the real value."""

    @abstractmethod
    def decode(self, asked: Any) -> Any:
        """The real value of an asked one."""

    @abstractmethod
    def encode(self, value: Any) -> Any:
        """The asked value of a real one.

        Raises:
            ValueError: it is outside the range; the message says which.
        """

    @abstractmethod
    def cardinality(self) -> int | None:
        """Return the number of real values, None for infinitely many."""

    @abstractmethod
    def values(self) -> Iterator[Any]:
        """All real values, ascending or as listed. Only where `cardinality` is a number."""

    @abstractmethod
    def nearest(self, value: Any) -> Any:
        """The real value that is closest to `value`, which may be outside the range.

        Raises:
            ValueError: none is close to it; the message says why.
        """

    def scaled(self, value: Any, factor: float) -> Any:
        """`value` times `factor`, as near as the range allows, and at least one step away on a grid.

        Zero, which no factor moves, moves by ``factor - 1`` of the range (of sigma, if normal). What has no size stays.
        """
        return value

    @property
    @abstractmethod
    def middle(self) -> Any:
        """The real value in the middle of the range, on its own scale."""

    @property
    def start(self) -> Any:
        """The real value to begin with where nothing is known: the default, else the middle."""
        return self.canonical(self.default) if self.has_default else self.middle

    @property
    def has_default(self) -> bool:
        return self.default is not None

    def contains(self, value: Any) -> bool:
        try:
            self.encode(value)
        except ValueError:
            return False
        return True

    def canonical(self, value: Any) -> Any:
        """`value` in the form in which a trial gets it (1 becomes 1.0 for a float)."""
        return self.decode(self.encode(value))

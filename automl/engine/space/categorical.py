"""One of a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from automl.engine.space.base import BaseParameter, json_text

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

__all__ = ["CategoricalParameter"]


class CategoricalParameter(BaseParameter):
    """One of `choices`, each any JSON value."""

    type: Literal["categorical"] = "categorical"
    choices: tuple[Any, ...] = Field(min_length=1)
    default: Any = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        texts = [json_text(choice) for choice in self.choices]
        for text in texts:
            if texts.count(text) > 1:
                raise ValueError(f"choices lists {text} more than once")
        if self.has_default:
            try:
                self.encode(self.default)
            except ValueError as error:
                raise ValueError(f"default {error}") from None
        return self

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        if not self.has_default:  # written as null it would read as a choice
            fields.pop("default", None)
        return fields

    @property
    def has_default(self) -> bool:
        """A default of null counts only where null is a choice and the default was written out."""
        return self.default is not None or ("default" in self.model_fields_set and None in self.choices)

    @property
    def _asked(self) -> tuple[Any, ...]:
        """Optuna stores scalars only, and takes 1, 1.0 and True for the same: such choices are asked as JSON text."""
        plain = all(choice is None or isinstance(choice, bool | int | float | str) for choice in self.choices)
        if plain and len(set(self.choices)) == len(self.choices):
            return self.choices
        return tuple(json_text(choice) for choice in self.choices)

    def _index(self, value: Any) -> int:
        texts = [json_text(choice) for choice in self.choices]
        if (text := json_text(value)) in texts:
            return texts.index(text)
        equal = [
            index
            for index, choice in enumerate(self.choices)
            if isinstance(choice, int | float) and not isinstance(choice, bool) and choice == value
        ]
        if len(equal) == 1 and not isinstance(value, bool):  # 1 is meant by 1.0
            return equal[0]
        raise ValueError(f"{text} is none of {', '.join(texts)}")

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self._asked)

    def suggest(self, trial: BaseTrial, name: str) -> Any:
        return self.decode(trial.suggest_categorical(name, self._asked))

    def decode(self, asked: Any) -> Any:
        return self.choices[self._asked.index(asked)]

    def encode(self, value: Any) -> Any:
        return self._asked[self._index(value)]

    def nearest(self, value: Any) -> Any:
        return self.canonical(value)

    @property
    def middle(self) -> Any:
        """The first choice: choices have no order."""
        return self.choices[0]

    def cardinality(self) -> int:
        return len(self.choices)

    def values(self) -> Iterator[Any]:
        return iter(self.choices)

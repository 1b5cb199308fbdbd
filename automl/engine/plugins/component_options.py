"""A thing chosen by name, with or without options: ``pruner: asha`` or ``pruner: {name: asha, options: {...}}``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from automl.errors import ConfigError
from automl.options import Options

__all__ = ["Component", "ComponentOptions", "build"]


class ComponentOptions(Options):
    name: str = Field(description="which one")
    options: dict[str, Any] = Field(default={}, description="its settings")


def _from_text(value: Any) -> Any:
    if value is None:
        return {"name": "none"}
    return {"name": value} if isinstance(value, str) else value


Component = Annotated[
    ComponentOptions, BeforeValidator(_from_text, json_schema_input_type=str | ComponentOptions | None)
]


class _Choice(Protocol):
    Settings: ClassVar[type[Options]]

    def __init__(self, settings: Any) -> None: ...


T = TypeVar("T", bound=_Choice)


def build(key: str, chosen: ComponentOptions, known: Mapping[str, type[T]]) -> T:
    """The thing that `chosen` names, made with its options.

    Args:
        key: where the user wrote it, such as ``search.pruner``.

    Raises:
        ConfigError: no such name, or an option that it does not have.
    """
    if chosen.name not in known:
        near = difflib.get_close_matches(chosen.name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(sorted(known))}."
        raise ConfigError(f"there is no {chosen.name!r}; {hint}", key=key)
    kind = known[chosen.name]
    try:
        return kind(kind.Settings(**chosen.options))
    except ValidationError as error:
        first = error.errors()[0]
        further = first.get("ctx", {}).get("key", ())
        option = ".".join(str(part) for part in ("options", *first["loc"], *further))
        allowed = ", ".join(kind.Settings.model_fields) or "none"
        raise ConfigError(
            f"{first['msg'].removeprefix('Value error, ')} (options of {chosen.name!r}: {allowed}).",
            key=f"{key}.{option}",
        ) from None

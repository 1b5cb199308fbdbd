"""The basis of every options model: strictness, durations, sizes.

Each concept owns the model of its options and derives it from `Options`; `automl.config` assembles them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from automl.durations import parse_duration

__all__ = ["Duration", "Options", "Size", "parse_size"]

_SIZE_UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?B)?", re.IGNORECASE)


class Options(BaseModel):
    """Base of all options: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def parse_size(value: Any) -> Any:
    """Bytes from ``4096``, ``"512MB"`` or ``"4GB"`` (binary units).

    Raises:
        ValueError: the text is not a size, or is not positive.
    """
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if not match:
            raise ValueError(f"{value!r} is not a size; write bytes, or '512MB', '4GB'")
        value = int(float(match[1]) * _SIZE_UNITS[f"{match[2].upper()}B"])
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(f"{value!r} is not a size; write a positive number of bytes, or '512MB', '4GB'")
    return value


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}],
            "description": "seconds, or a text such as '90s', '10m', '2h30m'",
        }
    ),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "string"}],
            "description": "bytes, or a text such as '512MB', '4GB'",
        }
    ),
]

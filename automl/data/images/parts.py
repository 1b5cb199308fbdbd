"""Which part of a dataset a file or folder belongs to by its name, and what is done with each part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from automl.data.guardrails import Guardrail, Verdict
from automl.errors import DataError

__all__ = ["part_of", "train_and_test"]

_PARTS = {
    "train": re.compile(r"(?i)train(ing)?([-_. ]|$)"),
    "test": re.compile(r"(?i)(test(ing)?|t10k)([-_. ]|$)"),
    "valid": re.compile(r"(?i)val(id(ation)?)?([-_. ]|$)"),
}
T = TypeVar("T")


def part_of(name: str) -> str | None:
    """``train``, ``test`` or ``valid`` for a name that begins so, such as ``train-00000-of-00005.parquet``."""
    return next((part for part, pattern in _PARTS.items() if pattern.match(name)), None)


def train_and_test(parts: Mapping[str, T], shown: str) -> tuple[T, T | None, tuple[Guardrail, ...]]:
    """What to learn from, what is only scored, and what was noticed. A validation part takes a missing test's place.

    Args:
        parts: by `part_of`.
        shown: the dataset, for messages.

    Raises:
        DataError: there is nothing to learn from.
    """
    if "train" not in parts:
        raise DataError(f"{shown} has a part to {' and '.join(parts) or 'nothing'} with, and none to train on.")
    if "valid" not in parts or "test" not in parts:
        return parts["train"], parts.get("test", parts.get("valid")), ()
    message = "The validation part is not read; validation.source takes its path, if it is to decide."
    return parts["train"], parts["test"], (Guardrail("validation_part", Verdict.ALERTED, message),)

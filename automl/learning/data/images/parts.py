"""The part of a dataset that a file or folder belongs to by its name, and what is done with each part."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from automl.errors import DataError
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.data.names import some

__all__ = ["is_part", "part_of", "train_and_test", "unread"]

_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing", "t10k", "eval", "evaluation"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "valid"),
}
T = TypeVar("T")


def part_of(name: str) -> str | None:
    """``train``, ``test`` or ``valid`` for a name with such a word in it, as in ``digits-train-00000-of-5.parquet``."""
    words = re.split(r"[-_. ]+", name.lower())
    return next((_WORDS[word] for word in words if word in _WORDS), None)


def is_part(name: str) -> bool:
    """Tell whether a name is such a word and nothing else."""
    return name.lower() in _WORDS


def unread(names: Sequence[str], shown: str) -> tuple[Guardrail, ...]:
    """Report files or folders that belong to no part, beside others that do."""
    if not names:
        return ()
    message = f"Not read, because they belong to no part: {some(names)}, in {shown}."
    return (Guardrail("unread_parts", Verdict.ALERTED, message),)


def train_and_test(parts: Mapping[str, T], shown: str) -> tuple[T, T | None, tuple[Guardrail, ...]]:
    """Return the part to learn from, the one that is only scored, and what was noticed. A validation part replaces a
    missing test part.

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
